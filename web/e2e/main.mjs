// The frame around all rooms: the session, the keyboard, and what others do meanwhile.
import assert from "node:assert/strict";

import { checks } from "./support/check.mjs";
import { signIn } from "./support/login.mjs";

const { check, tab, beside, person, stranger, who } = checks();

check("a deep link asks for a sign-in and comes back to where it led", async () => {
  const page = await stranger();
  await page.goto("/runs?target=web-1");
  await page.waitForURL("**/login?**");
  await signIn(page, who);
  await page.getByRole("heading", { level: 1, name: "Runs" }).waitFor();
  assert.equal(await page.getByLabel("Target").inputValue(), "web-1");
});

check("a second tab is signed in already, and signing out in one signs out both", async () => {
  const page = await person("/runs");
  const other = await beside(page, "/runs");
  await other.getByRole("heading", { level: 1, name: "Runs" }).waitFor();
  await other.getByRole("button", { name: "You and your session" }).click();
  await other.getByRole("menuitem", { name: "Sign out", exact: true }).click();
  await page.waitForURL("**/login**");
  await other.waitForURL("**/login**");
});

check("the list is walked and opened with the keyboard alone", async () => {
  const page = await tab("/runs");
  await page.getByRole("row").nth(1).waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("x");
  await page.getByText("1 selected").waitFor();
  await page.keyboard.press("/");
  await page.waitForFunction(() => document.activeElement?.getAttribute("aria-label") === "Job or run");
  await page.evaluate(() => document.activeElement?.blur());
  await page.keyboard.press("Enter");
  await page.waitForURL("**/runs/*-*");
  await page.keyboard.press("Control+k");
  await page.getByPlaceholder("Go to, or do…").fill("runs");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/runs$/);
});

check("a run that is started elsewhere appears by itself and is seen to its end", async () => {
  const page = await tab("/runs");
  await page.getByRole("status").getByText("Live").waitFor();
  const rows = page.getByRole("row");
  await rows.nth(1).waitFor();
  const count = await rows.count();
  const newest = rows.filter({ hasText: "Sample Linux Countdown" }).first(); // its machine is still there
  await newest.getByRole("checkbox").check();
  await page.getByRole("button", { name: "Run again" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Run again" }).click();
  await page.waitForFunction((known) => document.querySelectorAll('[role="row"]').length > known, count);
  await newest.getByText("re-run").waitFor();
  await newest.getByText("Succeeded").waitFor();
});
