// The first minutes with a system on which nothing was made yet. It has to be the first file that looks at it.
import { after, before } from "node:test";
import assert from "node:assert/strict";

import { checks } from "./support/check.mjs";
import { login } from "./support/login.mjs";
import { addAccount, fillMachine, stage, stageIs } from "./support/machine.mjs";
import { startSshHost } from "./support/ssh-host.mjs";

const { check, tab, stranger, who } = checks();
const ACCOUNT = { username: "ops", password: "right-Horse-7-stable" };
let host;

before(async () => {
  host = await startSshHost(ACCOUNT);
});
after(() => host?.stop());

const seenGreen = async (page) => {
  await page.waitForURL(/\/runs\/[0-9a-f-]{36}/);
  await page.getByText("Succeeded").first().waitFor();
};

/** Each press of a button or choice of an option counts: a first run has to stay short. */
const counting = () => {
  const counted = {
    presses: 0,
    press: async (locator) => {
      await locator.click();
      counted.presses += 1;
    },
  };
  return counted;
};

check("from signing in to a green run of the sample on a simulated machine", async (t) => {
  const page = await stranger();
  const begun = performance.now();
  await login(page, who);
  await page.waitForURL("**/welcome");
  const counted = counting();
  await counted.press(page.getByRole("button", { name: "sample-linux-server" }));
  await stageIs(page, "command", "ok");
  await counted.press(page.getByRole("button", { name: "Run it and watch" }));
  await seenGreen(page);
  t.diagnostic(`${((performance.now() - begun) / 1_000).toFixed(1)} s and ${counted.presses} presses from signing in to the green run`);
  assert.ok(counted.presses <= 2);
});

check("from an empty system to a green run: a machine of one's own, its account, its key, a job", async () => {
  const page = await tab("/");
  await page.waitForURL("**/welcome");
  const counted = counting();
  const { press } = counted;
  await press(page.getByRole("button", { name: "Add my machine" }));
  await fillMachine(page, { name: "first-machine", port: host.port });
  await addAccount(page, { ...ACCOUNT, name: "first-account" }, press);
  await press(page.getByRole("button", { name: "Save and go on" }));
  await stageIs(page, "host_key", "failed");
  await page.getByText("SHA256:").first().waitFor();
  assert.match(await stage(page, "host_key").innerText(), /host_key_unknown/);
  await press(page.getByRole("button", { name: "Pin this key" }).first());
  await stageIs(page, "command", "ok");
  await press(page.getByRole("button", { name: "Run it and watch" }));
  await seenGreen(page);
  assert.ok(counted.presses <= 8, `${counted.presses} presses from the first page to a green run`);
  await page.goto("/");
  await page.getByRole("heading", { level: 1 }).first().waitFor();
  assert.notEqual(new URL(page.url()).pathname, "/welcome", "whoever has a machine is led no more");
});
