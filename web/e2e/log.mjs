// Links far into long logs, and what one takes along from a run.
import assert from "node:assert/strict";
import { before } from "node:test";

import { ensureJob, ensureTargets, startRun, untilEnded } from "./support/api.mjs";
import { checks, until } from "./support/check.mjs";

const { check, tab, theApi, url } = checks();
const LINES = 20_000;
let api, run;

before(async () => {
  api = await theApi();
  await ensureTargets(api, ["web-01"]);
  const job = await ensureJob(api, {
    name: "Long story", targets: ["web-01"],
    steps: [{ name: "tell", type: "ssh.exec", timeoutSec: 120, command: `for i in $(seq 1 ${LINES}); do echo "sentence $i of a long story"; done` }],
  });
  run = await startRun(api, job);
  assert.equal(await untilEnded(api, run), "succeeded");
});

/** Reading from the beginning waits until it is let go on. */
const heldBack = async (page) => {
  let open;
  const opened = new Promise((resolve) => (open = resolve));
  await page.route(/\/log\?.*limit=10000/, async (route) => { await opened; await route.continue(); });
  return open;
};
const firstShown = async (page) => Number(await page.locator("[data-index] [data-n]").first().getAttribute("data-n"));
/** The same, once the last turn of the wheel has had its effect. */
const standing = async (page) => {
  let last;
  let times = 0;
  await until(async () => {
    const now = await firstShown(page);
    times = now === last ? times + 1 : 0;
    last = now;
    return times === 5;
  });
  return last;
};
const told = (page, number) => page.locator(`[data-index]:has([data-n="${number}"]) [data-text]`);

check("a link far into a log shows its lines while what stands before them is read, grows both ways and keeps its place", async () => {
  const page = await tab();
  const goOn = await heldBack(page);
  await page.goto(`/runs/${run}?t=web-01&s=tell#L15000-L15002`);
  await told(page, 15_000).getByText("sentence 15000 of a long story").waitFor();
  assert.equal(await page.locator("[data-index][data-chosen]").count(), 3);
  await page.getByText("These are the lines the link leads to").waitFor();
  assert.equal(await page.getByTestId("line-count").textContent(), "0 lines so far…");

  await page.getByRole("region", { name: "Log lines" }).hover();
  await until(async () => { await page.mouse.wheel(0, -1_500); return (await firstShown(page)) < 14_500; });
  const here = await firstShown(page);
  await told(page, here).getByText(`sentence ${here} of`).waitFor();
  await until(async () => { await page.mouse.wheel(0, 1_500); return (await firstShown(page)) > 15_600; });

  const place = await standing(page);
  goOn();
  await page.getByTestId("line-count").getByText("20,000 lines").waitFor();
  await page.getByText("These are the lines the link leads to").waitFor({ state: "detached" });
  const stays = await standing(page);
  assert.ok(Math.abs(stays - place) < 5, `the same lines stay in sight: ${place}, then ${stays}`);
  await told(page, place + 10).getByText(`sentence ${place + 10} of`).waitFor();
});

check("while lines far on are shown, `g` leads to the beginning and finding goes over what was read", async () => {
  const page = await tab();
  const goOn = await heldBack(page);
  await page.goto(`/runs/${run}#L15000`);
  await told(page, 15_000).waitFor();
  await page.getByRole("region", { name: "Log lines" }).focus();
  await page.keyboard.press("g");
  goOn();
  await told(page, 1).getByText("sentence 1 of a long story").waitFor();
  await page.keyboard.press("Control+f");
  await page.keyboard.type("sentence 19999 ");
  await told(page, 19_999).waitFor();
});

check("a run is taken along: its link, its number, and its log as a line for a shell", async () => {
  const page = await tab();
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"], { origin: url });
  await page.goto(`/runs/${run}?t=web-01#L3`);
  const copied = async (item) => {
    await page.getByRole("button", { name: "Copy…" }).click();
    await page.getByRole("menuitem", { name: item }).click();
    await page.getByText("is copied.").last().waitFor();
    return page.evaluate(() => navigator.clipboard.readText());
  };
  await told(page, 3).waitFor();
  assert.equal(await copied("Link to what is shown"), `${url}/runs/${run}?t=web-01#L3`);
  assert.equal(await copied("Command line: show this log"), `opsconductor runs log ${run} -t web-01`);
  assert.match(await copied("curl: run it again"), new RegExp(`/api/v1/runs/${run}/rerun`));
});
