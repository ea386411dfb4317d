// Jobs as a person builds, mends, runs and changes them. Part of `npm run e2e`.
import assert from "node:assert/strict";
import { before } from "node:test";

import { checks, until } from "./support/check.mjs";

const { check, tab } = checks({ story: true });
const NAME = `Greet ${Date.now().toString(36)}`;
let page;

before(async () => {
  page = await tab();
});

const yaml = () => page.getByRole("textbox", { name: "Definition as YAML" });
const problems = () => page.getByRole("list", { name: "Problems" });
const wellAt = () => page.getByRole("status", { name: "Problems" }).getByText("No problems");
const dialog = () => page.getByRole("dialog");

/** Puts the cursor at the end of the line that says this. */
const atLine = async (text) => {
  await page.locator(".cm-line", { hasText: text }).last().click();
  await page.keyboard.press("End");
};

const editorOf = async (name) => {
  await page.goto(`/jobs?name=${encodeURIComponent(name)}`);
  await page.getByRole("link", { name, exact: true }).click();
  await page.getByRole("link", { name: "Edit" }).click();
  await yaml().waitFor();
};

check("a job is built from nothing, on the form and in the YAML, which say the same", async () => {
  await page.goto("/jobs");
  await page.getByRole("link", { name: "New job" }).click();
  await yaml().waitFor();
  await page.getByRole("textbox", { name: "Name" }).fill(NAME);
  await page.getByRole("button", { name: "Add a parameter" }).click();
  const parameter = page.getByRole("group", { name: "Parameter parameter_1" });
  await parameter.getByLabel("Name").fill("who");
  await parameter.getByLabel("Name").press("Enter");
  const who = page.getByRole("group", { name: "Parameter who" });
  await who.getByText("What it may be").click();
  await who.getByLabel("Must match").fill("[a-z]+");
  await page.getByRole("button", { name: "Add a step" }).click();
  await page.getByRole("menuitem", { name: /^ssh\.exec/ }).click();
  const step = page.getByRole("list", { name: "Steps" }).getByRole("listitem").first();
  await step.getByText("These", { exact: true }).click();
  await step.getByRole("combobox", { name: "Targets: names" }).fill("sample-linux");
  await page.getByRole("option", { name: "sample-linux-server" }).click();
  await page.keyboard.press("Escape");
  await page.getByRole("textbox", { name: "Script of step 1" }).click();
  await page.keyboard.type("echo Hello {{ wh");
  await page.keyboard.press("Control+Space");
  const script = page.getByRole("textbox", { name: "Script of step 1" });
  await until(async () => {
    // The editor ignores a choice that comes right after its list has changed.
    await page.getByRole("option", { name: "who" }).click({ timeout: 1_000 }).catch(() => undefined);
    return (await script.innerText()).includes("{{ who }}");
  });
  await wellAt().waitFor();
  await until(async () => /command: echo Hello \{\{ who \}\}/.test(await yaml().innerText()));
  await page.getByText("1 target now").waitFor();
});

check("steps are moved, copied and removed with the keyboard, and everything can be undone", async () => {
  const openers = page.locator("[data-step]");
  await openers.first().focus();
  await page.keyboard.press("Shift+Alt+ArrowDown");
  await page.waitForFunction(() => document.querySelectorAll("[data-step]").length === 2);
  assert.match(await openers.nth(1).innerText(), /step-2/);
  await openers.nth(1).focus();
  await page.keyboard.press("Alt+ArrowUp");
  await page.waitForFunction(() => document.querySelector("[data-step='0']").innerText.includes("step-2"));
  await page.keyboard.press("Delete");
  await page.waitForFunction(() => document.querySelectorAll("[data-step]").length === 1);
  await page.keyboard.press("Control+z");
  await page.waitForFunction(() => document.querySelectorAll("[data-step]").length === 2);
  await page.keyboard.press("Control+z");
  await page.keyboard.press("Control+z");
  await page.waitForFunction(() => document.querySelectorAll("[data-step]").length === 1);
  assert.match(await openers.first().innerText(), /step-1/);
});

check("a mistake in the YAML is told at its line, and a click leads there", async () => {
  await atLine("echo Hello");
  await page.keyboard.press("Enter");
  await page.keyboard.type("timeoutSec: soon");
  const problem = problems().getByRole("button", { name: /steps\.0\.timeoutSec/ });
  await problem.waitFor();
  const [, line] = /line (\d+)/.exec(await problem.innerText());
  await page.locator(".cm-lint-marker-error").first().waitFor();
  await problem.click();
  await until(async () => (await page.locator("[aria-label='Definition as YAML'] .cm-lineNumbers .cm-activeLineGutter").innerText()) === line);
  await page.keyboard.press("End");
  for (let left = "soon".length; left > 0; left -= 1) await page.keyboard.press("Backspace");
  await page.keyboard.type("60 # seconds are enough");
  await wellAt().waitFor();
});

check("it is saved and run: a wrong parameter is refused beside its input, a right one runs", async () => {
  await page.getByRole("button", { name: "Save and run" }).click();
  await dialog().getByRole("textbox", { name: "who" }).fill("NOBODY 1");
  await dialog().getByRole("button", { name: "Run", exact: true }).click();
  await dialog().getByText("must match [a-z]+").waitFor();
  await dialog().getByRole("textbox", { name: "who" }).fill("world");
  await dialog().getByText("1 target", { exact: false }).waitFor();
  await dialog().getByRole("button", { name: "Run", exact: true }).click();
  await page.waitForURL("**/runs/*-*");
  await page.getByRole("heading", { level: 1, name: NAME }).waitFor();
  await page.getByText("Succeeded").first().waitFor();
});

check("an edit on the form keeps the comments, becomes a version with its reason, is compared and taken back", async () => {
  await editorOf(NAME);
  await page.getByText(/When and how/).click({ trial: true });
  await page.getByLabel("Time limit (s)").fill("120");
  await until(async () => /timeoutSec: 120 # seconds are enough/.test(await yaml().innerText()));
  await page.getByLabel("What changed").fill("More time");
  await wellAt().waitFor();
  await page.keyboard.press("Control+s");
  await page.getByText("Saved as version 2.").waitFor();
  await page.goto(page.url().replace("/edit", "?tab=versions"));
  await page.getByText("More time").waitFor();
  await page.getByRole("link", { name: "What changed" }).first().click();
  await page.locator(".cm-merge-b .cm-changedLine", { hasText: "120" }).waitFor();
  await page.locator(".cm-merge-a .cm-changedLine", { hasText: "60" }).waitFor();
  await page.getByRole("button", { name: "Restore version 1" }).click();
  await dialog().getByRole("button", { name: "Restore it" }).click();
  await page.getByText("Version 1 is back, as version 3.").waitFor();
  await page.getByText("Restore version 1").first().waitFor();
});

check("who edits what somebody else has changed meanwhile sees both and chooses", async () => {
  await editorOf(NAME);
  const other = await tab(page.url());
  await other.getByLabel("Description").fill("By somebody else");
  await other.getByRole("button", { name: "Save", exact: true }).click();
  await other.getByText("Saved as version 4.").waitFor();
  await page.bringToFront();
  await page.getByLabel("Description").fill("By me");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await dialog().getByText("Somebody else saved this job meanwhile").waitFor();
  await dialog().locator(".cm-merge-a", { hasText: "By somebody else" }).waitFor();
  await dialog().locator(".cm-merge-b", { hasText: "By me" }).waitFor();
  await dialog().getByRole("button", { name: "Save mine over theirs" }).click();
  await page.getByText("Saved as version 5.").waitFor();
}, { bears: /status of 412/ });

check("unsaved changes are asked about before they are left, and outlive a reload", async () => {
  await page.getByLabel("Description").fill("Half a thought");
  await page.getByRole("link", { name: "Jobs" }).first().click();
  await dialog().getByText("Leave without saving?").waitFor();
  await dialog().getByRole("button", { name: "Leave it", exact: true }).click();
  await page.waitForFunction(() => Object.values(localStorage).some((stored) => stored.includes("Half a thought")));
  page.once("dialog", (question) => void question.accept());
  await page.reload();
  await page.getByText("Your unsaved changes are back").waitFor();
  assert.equal(await page.getByLabel("Description").inputValue(), "Half a thought");
  await page.getByRole("button", { name: "Throw them away" }).click();
  await until(async () => (await page.getByLabel("Description").inputValue()) === "By me");
});

check("from the list, j and r open the run dialog, and a job is deactivated with a reason and deleted", async () => {
  await page.goto(`/jobs?name=${encodeURIComponent(NAME)}`);
  await page.getByRole("row").nth(1).waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("r");
  await dialog().getByText(`Run ${NAME}`).waitFor();
  await page.keyboard.press("Escape");
  await dialog().waitFor({ state: "detached" });
  await page.keyboard.press("Enter");
  await page.waitForURL("**/jobs/*-*");
  await page.getByRole("button", { name: "More" }).click();
  await page.getByRole("menuitem", { name: "Deactivate…" }).click();
  await dialog().getByLabel("Reason").fill("It has greeted enough");
  await dialog().getByRole("button", { name: "Deactivate" }).click();
  await page.getByText("It has greeted enough").waitFor();
  await page.getByRole("button", { name: "More" }).click();
  await page.getByRole("menuitem", { name: "Delete…" }).click();
  await dialog().getByRole("button", { name: "Delete it" }).click();
  await page.waitForURL(/\/jobs$/);
});
