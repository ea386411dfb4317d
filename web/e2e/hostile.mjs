// Text that others wrote is text, wherever it stands: names, descriptions, output, causes, titles, toasts.
import assert from "node:assert/strict";
import { after, before } from "node:test";

import { ensureJob, ensureTargets, startRun, untilEnded } from "./support/api.mjs";
import { checks, until } from "./support/check.mjs";
import { NO_BROKER, poison } from "./support/poison.mjs";
import { settle } from "./support/routes.mjs";

const { check, tab, theApi } = checks();
const MARKUP = `<x-pwned></x-pwned><img src=x onerror="window.__pwned='image'"><script>window.__pwned='script'</script>`;
const NAME = `Hostile ${Date.now().toString(36)} ${MARKUP} &lt;b&gt; \u202Egpj.exe`;
const LINE = `${MARKUP}<a href="javascript:window.__pwned='link'">press</a>`;
const seconds = 1_000;
let api, job, letter, run, target, waiting;

before(async () => {
  api = await theApi();
  await ensureTargets(api, [NAME]);
  target = (await api.get(`/api/v1/targets?limit=200`)).items.find(({ name }) => name === NAME).id;
  const parameters = { text: { type: "string", default: LINE, description: NAME } };
  const quoted = LINE.replaceAll("'", `'\\''`);
  job = await ensureJob(api, {
    name: NAME, description: NAME, targets: [NAME], parameters,
    steps: [{ name: "talk", type: "ssh.exec", command: `printf '%s\\n' '${quoted}' {{ text }}; printf '\\033]8;;javascript:alert(1)\\007link\\033]8;;\\007\\n'; printf '%s\\n' '${quoted}' >&2; exit 3` }],
  });
  run = await startRun(api, job, { text: LINE });
  assert.equal(await untilEnded(api, run), "failed");
  const sleeper = await ensureJob(api, { name: `${NAME} sleeps`, targets: [NAME], steps: [{ name: "sleep", type: "ssh.exec", command: "sleep 300" }] });
  waiting = await startRun(api, sleeper);
  if (!NO_BROKER) await poison();
  if (!NO_BROKER) await until(async () => (letter = (await letters()).find(({ last_error }) => last_error?.includes("<x-pwned>"))?.id));
  await api.post("/api/v1/saved-filters", { page: "runs", name: NAME.slice(0, 80), query: "status=failed" }).catch(() => undefined);
});

const letters = async () => (await api.get("/api/v1/dlq?limit=50&status=open")).items;

after(() => api?.post(`/api/v1/runs/${waiting}/cancel`));

/** Nothing of it became an element, and it can be read as it was written. */
const isText = async (page, address) => {
  await page.getByText("<x-pwned></x-pwned>").filter({ visible: true }).first().waitFor();
  const made = await page.evaluate(() => [...document.querySelectorAll("x-pwned, img[src='x'], a[href^='javascript:'], body script:not([src])")].map(({ outerHTML }) => outerHTML));
  assert.deepEqual(made, [], address);
};

const PAGES = {
  "the dashboard": () => "/",
  ...(NO_BROKER ? {} : { "the dead letters": () => "/queues?show=letters", "a dead letter": () => `/queues/letters/${letter}` }),
  "the runs": () => "/runs",
  "a run with its matrix, failures and log": () => `/runs/${run}`,
  "what a run was given": () => `/runs/${run}?tab=parameters`,
  "what a run carried out": () => `/runs/${run}?tab=definition`,
  "its results": () => `/runs/${run}?tab=results`,
  "the whole log": () => `/runs/${run}/log`,
  "the jobs": () => "/jobs",
  "a job": () => `/jobs/${job}`,
  "a job's editor": () => `/jobs/${job}/edit`,
  "the targets": () => "/targets",
  "a target": () => `/targets/${target}`,
};

check(`hostile text is only ever text on ${Object.keys(PAGES).join(", ")}`, async () => {
  const page = await tab();
  for (const [name, address] of Object.entries(PAGES)) {
    await page.goto(address());
    await settle(page);
    await isText(page, name);
  }
}, { within: 400 * seconds });

check("hostile text is only ever text in a title, a dialog, a toast, the palette and a list of choices", async () => {
  const page = await tab(`/jobs/${job}`);
  await page.getByRole("heading", { level: 1 }).waitFor();
  assert.match(await page.title(), /<x-pwned><\/x-pwned><img src=x/);
  await page.keyboard.press("Control+k");
  await page.getByPlaceholder("Go to, or do…").fill("Hostile");
  await page.getByRole("dialog").getByText("<x-pwned></x-pwned>").first().waitFor();
  await isText(page, "the palette");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "More" }).click();
  await page.getByRole("menuitem", { name: "Deactivate…" }).click();
  await page.getByRole("dialog").getByLabel("Reason").fill(LINE);
  await page.getByRole("dialog").getByRole("button", { name: "Deactivate" }).click();
  await page.getByText("refuses runs now").waitFor();
  await isText(page, "the toast");
  await page.reload();
  await page.getByText("javascript:window.__pwned").first().waitFor();
  await isText(page, "the reason");
});
