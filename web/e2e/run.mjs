// The page of a run, as people use it: watched live, searched, cancelled, run again, and kept whole on bad days.
import { before } from "node:test";
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";

import { ensureJob, ensureTargets, startRun, untilEnded } from "./support/api.mjs";
import { checks, until } from "./support/check.mjs";

const { check, tab, theApi } = checks();
const GATEWAY = Number(process.env.OPS_WEB_GATEWAY_PID ?? 0);
const FLEET = ["web-01", "web-02", "web-03"];
let api, watched, long, chatty;

before(async () => {
  api = await theApi();
  await ensureTargets(api, FLEET);
  const step = (name, command, more = {}) => ({ name, type: "ssh.exec", command, timeoutSec: 120, ...more });
  watched = await ensureJob(api, {
    name: "Check and judge", targets: FLEET, parameters: { key: { type: "string" } },
    steps: [
      step("talk", 'for i in $(seq 1 100); do echo "tick $i of the talk"; sleep 0.1; done; printf "10 %%\\r100 %%\\n"; echo "<b>not bold</b>"; echo oh >&2; until [ -e "/tmp/ops-e2e-{{ key }}-seen" ]; do sleep 0.1; done'),
      // The first to come finds no folder yet: exactly one of them fails, and none when it is done again.
      step("judge", 'if mkdir "/tmp/ops-e2e-{{ key }}" 2>/dev/null; then sleep 0.5; echo "no space left" >&2; exit 28; fi; echo fine'),
    ],
  });
  long = await ensureJob(api, { name: "Long sleep", targets: FLEET, steps: [step("sleep", "echo begun; sleep 60")] });
  chatty = await ensureJob(api, {
    name: "Chatty", targets: ["web-01"], parameters: { key: { type: "string" } },
    steps: [step("print", 'for i in $(seq 1 600); do echo "line $i of 600 $(printf "\\033[32mgreen\\033[0m")"; sleep 0.02; if [ $i = 300 ]; then until [ -e "/tmp/ops-e2e-{{ key }}-seen" ]; do sleep 0.1; done; fi; done')],
  });
});

/** What waits for it to be seen by a page goes on: however slow the page is, it does not come too late. */
const seen = (key) => writeFileSync(`/tmp/ops-e2e-${key}-seen`, "");
const found = async (page) => Number((await page.getByTestId("found").textContent()).replaceAll(",", "").split("/")[1] ?? 0);
check("a run is watched live, searched while it prints, and its failed target is run again alone", async () => {
  const key = crypto.randomUUID();
  const runId = await startRun(api, watched, { key });
  const page = await tab(`/runs/${runId}`);
  await page.getByRole("status").getByText("Live").waitFor();
  await page.locator('[role="gridcell"][data-state="running"]').first().waitFor();
  seen(key);

  await page.keyboard.press("Control+f");
  await page.keyboard.type("TICK");
  await until(async () => (await found(page)) > 3);
  const early = await found(page);
  await until(async () => early === 300 || (await found(page)) > early); // a slow page may come when all is said
  await until(async () => (await found(page)) === 300);
  await page.keyboard.press("Enter");
  assert.match(await page.getByTestId("found").textContent(), /^\d+ \/ 300$/);
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");

  await page.getByRole("heading", { name: "Check and judge" }).locator("..").getByText("Failed").waitFor();
  await page.getByRole("region", { name: "Failures by cause" }).getByText("exit_code 28").waitFor();
  await until(async () => (await page.locator('[role="gridcell"][data-state="failed"]').count()) === 1);

  await page.keyboard.press("f");
  await page.waitForURL(/t=web-0\d&s=judge/);
  await page.getByText("no space left").waitFor();
  await until(async () => (await page.getByTestId("line-count").textContent()) === "1 line");
  await page.getByLabel("Line 1", { exact: true }).click();
  await page.waitForURL(/#L1$/);
  await page.reload();
  await page.locator("[data-chosen] [data-text]").filter({ hasText: "no space left" }).waitFor();
  await page.goBack();
  await until(async () => (await page.getByTestId("line-count").textContent()) !== "1 line");

  await page.getByRole("button", { name: "Re-run", exact: true }).click();
  await page.getByRole("menuitem", { name: "Failed targets only (1)" }).click();
  await page.waitForURL((address) => !address.pathname.includes(runId));
  await page.getByRole("heading", { name: "Check and judge" }).locator("..").getByText("Succeeded").waitFor();
  await until(async () => (await page.getByRole("rowheader").count()) === 1);
});

check("a cancel says what it really stopped", async () => {
  const runId = await startRun(api, long);
  const page = await tab(`/runs/${runId}`);
  await until(async () => (await page.getByTestId("line-count").textContent().catch(() => "")) === "3 lines");
  await page.getByRole("button", { name: "Cancel", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel the run" }).click();
  await page.getByRole("status", { name: "What the cancel did" }).getByText("stopped on the target, verified").waitFor();
  await page.getByRole("heading", { name: "Long sleep" }).locator("..").getByText("Cancelled").waitFor();
  await page.getByText("3 stopped on the target").waitFor();
});

/** What the text download holds of one stream: everything below its heading. */
const stored = async (runId, part) => {
  const text = await api.get(`/api/v1/runs/${runId}/log?ansi=false&${new URLSearchParams(part)}`);
  return text.replace(/^==> .* <==\n/, "");
};
const plainText = (page) => page.evaluate(() => [...document.querySelectorAll("p[id^=L]")].map((line) => `${line.textContent}\n`).join(""));

check("no line is lost or doubled: two tabs, a reload in mid-run, the gateway killed while they watch", async (t) => {
  const key = crypto.randomUUID();
  const runId = await startRun(api, chatty, { key });
  const page = await tab(`/runs/${runId}/log`);
  const other = await tab(`/runs/${runId}`);
  const lines = (tab) => tab.locator("p[id^=L]").count();
  await until(async () => (await lines(page)) > 30);
  if (GATEWAY > 0) {
    process.kill(GATEWAY, "SIGKILL");
    await page.getByText("Reconnecting").waitFor();
    await page.getByRole("status").getByText("Live").waitFor();
  } else t.diagnostic("OPS_WEB_GATEWAY_PID is not set: the gateway is left alone");
  seen(key);
  await other.reload();
  assert.equal(await untilEnded(api, runId), "succeeded");
  await until(async () => (await lines(page)) === 600);
  await other.getByTestId("line-count").getByText("600 lines").waitFor();
  assert.equal(await plainText(page), await stored(runId, { target: "web-01", step: "print" }));
}, { bears: /Failed to load resource: net::ERR_/ });

check("the plain page is found in with the browser's own means, and links lead to lines", async () => {
  const { items } = await api.get("/api/v1/runs?limit=20&q=Chatty");
  const page = await tab(`/runs/${items[0].id}/log#L300`);
  await page.locator("#L600").waitFor({ state: "attached" });
  assert.equal(await page.evaluate(() => window.find("line 555 of 600")), true);
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download the log" }).click();
  await page.getByRole("menuitem", { name: "Text", exact: true }).click();
  assert.match((await download).suggestedFilename(), /\.(txt|log)$/);
});

check("what a log says is never taken for markup, and what it wrote over is not shown", async () => {
  const { items } = await api.get("/api/v1/runs?limit=20&q=Check%20and%20judge");
  const page = await tab(`/runs/${items.at(-1).id}?t=web-01&s=talk#L103`);
  await page.getByText("<b>not bold</b>").first().waitFor();
  assert.equal(await page.locator("[data-text] b").count(), 0);
  assert.equal(await page.getByText("10 %", { exact: true }).count(), 0);
  assert.ok((await page.getByText("100 %", { exact: true }).count()) > 0);
});
