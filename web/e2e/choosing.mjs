// Parameters by which people choose, from the form to the run and back; and the help behind what failed. Part of `npm run e2e`.
import assert from "node:assert/strict";
import { before } from "node:test";

import { startRun, untilEnded } from "./support/api.mjs";
import { checks, until } from "./support/check.mjs";

const { check, tab, theApi } = checks({ story: true });
const STAMP = Date.now().toString(36);
const HOSTILE = "it's $(touch canary)";
const JOB = {
  name: `Choose ${STAMP}`,
  parameters: {
    site: { choices: ["berlin", "paris"], required: true },
    server: { depends_on: "site", choices_for: { berlin: ["web-1", "web-2"], paris: ["web-9"] } },
    services: { type: "multi", choices: ["nginx", "redis", HOSTILE], default: ["nginx"], max_items: 2 },
    account: { type: "credential" },
  },
  steps: [{
    name: "tell", type: "ssh.exec", target: "sample-linux-server", credential: "{{ account }}",
    command: 'echo {{ server }}\nprintf %s {{ services }} | while IFS= read -r s; do echo "<$s>"; done',
  }],
};
let page, api, job, run;

before(async () => {
  page = await tab();
  api = await theApi();
  job = (await api.post("/api/v1/jobs", JOB)).id;
});

const dialog = () => page.getByRole("dialog");
const choose = async (name, option) => {
  await dialog().getByRole("combobox", { name }).click();
  await page.getByRole("option", { name: option }).click();
};
const told = (text) => dialog().getByText(text, { exact: true });
const theRun = async () => {
  await page.waitForURL(/\/runs\/[0-9a-f-]+/);
  return page.url().match(/runs\/([0-9a-f-]+)/)[1];
};

check("choices follow the value of another parameter, and what is no choice any more is taken back", async () => {
  await page.goto(`/jobs/${job}`);
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await dialog().getByText("choose site first").waitFor();
  await dialog().getByRole("button", { name: "Run", exact: true }).click();
  await told("is required").waitFor();
  await choose("site", "berlin");
  await choose("server", "web-2");
  await choose("site", "paris");
  assert.equal(await dialog().getByRole("combobox", { name: "server" }).inputValue(), "");
  await choose("server", "web-9");
});

check("several choices and a credential by its name reach the machine as they are", async () => {
  await choose("services", HOSTILE);
  await choose("services", "redis");
  await page.keyboard.press("Tab");
  await told("may have at most 2 choices").waitFor();
  await dialog().getByRole("combobox", { name: "services" }).press("Backspace");
  await choose("account", /sample-linux-operator/);
  await dialog().getByRole("button", { name: "Run", exact: true }).click();
  run = await theRun();
  assert.equal(await untilEnded(api, run), "succeeded");
  const { parameters, parameter_names } = await api.get(`/api/v1/runs/${run}`);
  assert.deepEqual([parameters.server, parameters.services, parameter_names.account], ["web-9", ["nginx", HOSTILE], "sample-linux-operator"]);
  assert.match(await api.get(`/api/v1/runs/${run}/log`), /web-9\n<nginx>\n<it's \$\(touch canary\)>/);
});

check("the run shows what was chosen, and again asks with it filled in", async () => {
  await page.goto(`/runs/${run}?tab=parameters`);
  const table = page.getByRole("table").filter({ hasText: "Parameter" });
  await table.getByText("sample-linux-operator").waitFor();
  await table.getByRole("listitem").filter({ hasText: HOSTILE }).waitFor();
  await page.getByRole("button", { name: "Re-run" }).click();
  await page.getByRole("menuitem", { name: /parameters/i }).click();
  await until(async () => (await dialog().getByRole("combobox", { name: "account" }).inputValue()) === "sample-linux-operator");
  await dialog().getByText(HOSTILE).first().waitFor();
  await choose("site", "berlin");
  await choose("server", "web-1");
  await dialog().getByRole("button", { name: "Run again" }).click();
  await until(async () => (await theRun()) !== run);
  const again = await theRun();
  assert.equal(await untilEnded(api, again), "succeeded");
  assert.equal((await api.get(`/api/v1/runs/${again}`)).parameters.server, "web-1");
});

check("behind the cause of a failure stands what it means, and every cause has its page", async () => {
  const failing = await api.post("/api/v1/jobs", { name: `Fail ${STAMP}`, steps: [{ name: "no", type: "ssh.exec", target: "sample-linux-server", command: "exit 3" }] });
  const failed = await startRun(api, failing.id);
  assert.equal(await untilEnded(api, failed), "failed");
  await page.goto(`/runs/${failed}`);
  await page.getByRole("region", { name: "Failures by cause" }).getByRole("link", { name: "exit_code" }).click();
  await page.getByRole("heading", { name: "The command reported failure", level: 1 }).waitFor();
  const { items } = await api.get("/api/v1/causes");
  await page.getByRole("link", { name: "All causes" }).click();
  await page.getByRole("heading", { name: "When something fails", level: 1 }).waitFor();
  for (const { code } of items) assert.equal(await page.locator(`a[href="/help/causes/${code}"]`).count(), 1, code);
  await page.getByRole("textbox", { name: "Find a cause" }).fill("host key other");
  await page.getByRole("link", { name: "host_key_mismatch" }).click();
  await page.getByRole("heading", { name: "The machine shows another host key", level: 1 }).waitFor();
});
