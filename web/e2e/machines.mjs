// The machine rooms: targets, credentials, tests of connections, users.
import { after, before } from "node:test";
import assert from "node:assert/strict";

import { checks } from "./support/check.mjs";
import { login } from "./support/login.mjs";
import { addAccount, fillMachine, stage, stageIs } from "./support/machine.mjs";
import { startSshHost } from "./support/ssh-host.mjs";

const { check, tab, stranger } = checks();
const ACCOUNT = { username: "ops", password: "right-Horse-7-stable" };
const mark = Date.now().toString(36);
let host;

before(async () => {
  host = await startSshHost(ACCOUNT);
});
after(() => host?.stop());

check("an account just made belongs to the target at once, however late the list of accounts is read", async () => {
  const page = await tab("/targets");
  await page.getByRole("button", { name: "Add target" }).click();
  await fillMachine(page, { name: `quick-${mark}`, port: host.port });
  let open;
  const opened = new Promise((resolve) => (open = resolve));
  await page.route(/\/api\/v1\/credentials\?/, async (route) => { await opened; await route.continue(); });
  await addAccount(page, { ...ACCOUNT, name: `quick-${mark}` });
  await page.getByRole("button", { name: "Save and test" }).click();
  await stageIs(page, "host_key", "failed");
  await page.getByRole("button", { name: "Pin this key" }).first().click();
  await stageIs(page, "auth", "ok");
  open();
});

check("a target and its account tell who changed what of them, and never a secret", async () => {
  const page = await tab("/targets");
  await page.getByRole("button", { name: "Add target" }).click();
  await fillMachine(page, { name: `told-${mark}`, port: host.port });
  await addAccount(page, { ...ACCOUNT, name: `told-${mark}` });
  await page.getByRole("button", { name: "Save and test" }).click();
  await stageIs(page, "host_key", "failed");
  await page.getByRole("button", { name: `Open told-${mark}` }).click();
  const history = page.getByRole("table", { name: "History" });
  await history.getByText("Added it.").waitFor();

  await page.getByRole("button", { name: "Edit…" }).click();
  await page.getByRole("dialog").getByLabel(/^Sessions at once/).fill("7");
  await page.getByRole("dialog").getByRole("button", { name: "Save", exact: true }).click();
  const change = history.getByRole("listitem").filter({ hasText: "ssh.max concurrent" });
  await change.getByText("7", { exact: true }).waitFor();

  await page.getByRole("main").getByRole("link", { name: `told-${mark}` }).first().click();
  await page.getByRole("button", { name: "Rotate…" }).click();
  await page.getByRole("dialog").getByText("Password", { exact: true }).first().click();
  await page.getByRole("dialog").getByRole("textbox", { name: /^Password\s*\*?$/ }).fill("another-Secret-8-barn");
  await page.getByRole("dialog").getByRole("button", { name: "Rotate", exact: true }).click();
  await history.getByText("Gave it new secrets.").waitFor();
  await history.getByText("version 2").waitFor();
  assert.ok(!(await page.content()).includes("another-Secret"));
});

check("a wrong password is said at its stage, holds the credential back, and a new one frees it", async () => {
  const page = await tab("/targets");
  await page.getByRole("button", { name: "Add target" }).click();
  await fillMachine(page, { name: `locked-${mark}`, port: host.port });
  await addAccount(page, { ...ACCOUNT, name: `wrong-${mark}`, password: "not-the-one" });
  await page.getByRole("button", { name: "Save and test" }).click();
  await stageIs(page, "host_key", "failed");
  await page.getByRole("button", { name: "Pin this key" }).first().click();
  await stageIs(page, "auth", "failed");
  assert.match(await stage(page, "auth").innerText(), /auth_rejected/);
  await page.getByRole("button", { name: "Test again" }).click();
  await page.getByRole("button", { name: "Try although it is on hold" }).waitFor();
  assert.match(await stage(page, "auth").innerText(), /credential_held/, "a rejected secret is not tried again by itself");
  await page.getByRole("button", { name: `Open locked-${mark}` }).click();
  await page.getByRole("link", { name: "Release or rotate it" }).click();
  await page.getByRole("alert").getByText(`locked-${mark}`).waitFor();

  await page.getByRole("button", { name: "Release…" }).click();
  await page.getByLabel(/^Why it will work now/).fill("The account was unlocked");
  await page.getByRole("button", { name: "Release", exact: true }).click();
  await page.getByText("In order").waitFor();

  await page.getByRole("button", { name: "Rotate…" }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("Password", { exact: true }).first().click();
  await dialog.getByRole("textbox", { name: /^Password\s*\*?$/ }).fill(ACCOUNT.password);
  await dialog.getByRole("button", { name: "Rotate", exact: true }).click();
  await dialog.waitFor({ state: "hidden" });
  assert.equal((await page.content()).includes(ACCOUNT.password), false, "a secret is gone once it was sent");
  await page.getByRole("link", { name: `locked-${mark}` }).click();
  await page.getByRole("button", { name: "Test again" }).click();
  await stageIs(page, "command", "ok");
});

check("whoever saves a target second sees what differs and chooses", async () => {
  const page = await tab("/targets?name=sample-linux");
  await page.getByRole("link", { name: "sample-linux-server" }).click();
  await page.waitForURL("**/targets/*-*");
  const other = await tab(page.url());
  for (const each of [page, other]) {
    await each.bringToFront(); // a tab behind another is drawn once a second
    await each.getByRole("button", { name: "Edit…" }).click();
    await each.getByRole("dialog").getByLabel(/^Sessions at once/).waitFor();
  }
  const save = async (each, sessions) => {
    await each.bringToFront();
    await each.getByRole("dialog").getByLabel(/^Sessions at once/).fill(sessions);
    await each.getByRole("dialog").getByRole("button", { name: "Save", exact: true }).click();
  };
  await save(other, "7");
  await other.getByRole("dialog").waitFor({ state: "hidden" });
  await save(page, "9");
  const row = page.getByRole("row", { name: /SSH sessions at once/ });
  await row.waitFor();
  assert.deepEqual((await row.getByRole("cell").allInnerTexts()).slice(1), ["7", "9"]);
  await page.getByRole("button", { name: "Save mine over it" }).click();
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  await page.getByText("9", { exact: true }).first().waitFor();
}, { bears: /status of 412/ });

check("a CSV is checked line by line, and what is right is created once", async () => {
  const page = await tab("/targets/import");
  await page.getByLabel("CSV").fill(`name,hostname,os,tags\ncsv-a-${mark},10.9.9.1,linux,rack=1\n,10.9.9.2,linux,\ncsv-b-${mark},10.9.9.3,windows,<b>x</b>`);
  await page.getByText("name: is missing").waitFor();
  await page.getByRole("button", { name: "Create 2 targets" }).click();
  await page.getByText("2 created, 0 ready, 1 with mistakes").waitFor();
  await page.goto(`/targets?name=csv-a-${mark}`);
  await page.getByRole("link", { name: `csv-a-${mark}` }).waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("x");
  await page.getByText("1 selected").waitFor();
  await page.getByRole("button", { name: "Delete…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete it" }).click();
  await page.getByText("No targets match these filters").waitFor();
});

check("a new user gets a password for one use, and the last administrator stays", async () => {
  const page = await tab("/users");
  await page.getByRole("button", { name: "Add user" }).click();
  await page.getByLabel(/^User name/).fill(`viewer-${mark}`);
  await page.getByRole("button", { name: "Create user" }).click();
  const password = await page.getByRole("dialog").locator("code").innerText();
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByRole("row", { name: new RegExp(`viewer-${mark}`) }).getByText("New password").first().waitFor();
  assert.equal(await page.getByRole("button", { name: "Deactivate admin" }).getAttribute("aria-disabled"), "true");
  const theirs = await stranger();
  await login(theirs, { username: `viewer-${mark}`, password });
  await theirs.goto("/targets");
  await theirs.getByRole("heading", { name: "Targets" }).waitFor();
});
