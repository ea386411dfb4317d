// The rooms of the system: the dashboard, queues and dead letters, workers.
import assert from "node:assert/strict";

import { checks } from "./support/check.mjs";
import { NO_BROKER, poison } from "./support/poison.mjs";

const { check, tab } = checks();
const HOSTILE = "<img src=x onerror=document.title='owned'>\u202Egpj.exe";

check("a dead letter is seen, looked into, edited and replayed, and another discarded with its reason", async () => {
  const page = await tab("/queues?show=letters");
  await page.getByRole("heading", { name: "Queues and dead letters" }).waitFor();
  await poison();
  const rows = page.getByRole("table", { name: "Dead letters" }).getByRole("row");
  await page.getByRole("list", { name: "Open dead letters by cause" }).waitFor();
  await page.getByRole("link", { name: "Go on with a run" }).first().click();
  await page.getByRole("heading", { name: "Dead letter" }).waitFor();
  await page.getByText("orchestrator.advance-run", { exact: true }).first().waitFor();

  await page.getByRole("button", { name: "Edit and replay…" }).click();
  await page.getByRole("dialog").getByRole("textbox", { name: "Body" }).fill("{ no json");
  await page.getByRole("button", { name: "Replay edited" }).click();
  await page.getByRole("dialog").getByText(/JSON/).first().waitFor();
  await page.getByRole("dialog").getByRole("textbox", { name: "Body" }).fill(JSON.stringify({ run_id: "01a2056b-e51a-7369-9379-f1d77bc72ace" }));
  await page.getByRole("button", { name: "Replay edited" }).click();
  await page.getByText("Replayed with the edited body.").waitFor();
  await page.getByRole("main").locator(".status", { hasText: "Replayed" }).waitFor();
  assert.equal(await page.getByRole("button", { name: "Replay", exact: true }).getAttribute("aria-disabled"), "true");

  await page.getByRole("link", { name: "All dead letters" }).click();
  await rows.nth(1).waitFor();
  await page.getByLabel("Select all shown").check();
  await page.getByRole("button", { name: "Replay", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: /^Replay/ }).click();
  await page.getByText("could not be replayed").waitFor(); // what is no message of this system stays

  await page.getByRole("button", { name: "Discard…" }).click();
  await page.getByRole("textbox", { name: "Reason" }).fill("Sent by a faulty program.");
  await page.getByRole("dialog").getByRole("button", { name: /^Discard/ }).click();
  await page.getByRole("heading", { name: "No dead letters" }).waitFor();
  await page.goto("/queues?show=letters&status=discarded");
  await rows.nth(1).waitFor();
}, { skip: NO_BROKER });

check("every tile of the dashboard leads to the list it counts", async () => {
  const page = await tab();
  for (const [tile, path] of [["Failed, 24 h", "/runs"], ["Waiting tasks", "/queues"], ["Workers", "/workers"], ["Dead letters", "/queues"], ["Running now", "/runs"]]) {
    await page.goto("/");
    if (new URL(page.url()).pathname !== "/") await page.goto("/");
    await page.getByRole("navigation", { name: "Rooms" }).getByRole("link", { name: "Dashboard" }).click();
    await page.getByRole("main").getByRole("link", { name: tile }).click();
    await page.waitForURL((address) => address.pathname === path);
  }
});

check("workers tell what they serve, and `?` tells the keys", async () => {
  const page = await tab("/workers");
  await page.locator(".status", { hasText: "Serving" }).first().waitFor();
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keys" }).getByText("one row down").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog", { name: "Keys" }).waitFor({ state: "detached" });
  await page.keyboard.press("g");
  await page.keyboard.press("q");
  await page.waitForURL("**/queues");
  await page.getByRole("table", { name: "Queues of the broker" }).getByText("orchestrator.start-run").waitFor();
});

check("queues tell how much work came and began, and how deep they were", async () => {
  const page = await tab("/queues");
  const start = page.getByRole("table", { name: "Queues of the broker" }).getByRole("row").filter({ hasText: "orchestrator.start-run" });
  await start.getByRole("img", { name: /^Last \d+ min: at most/ }).waitFor();
  assert.match((await start.locator('[data-header="In per minute"]').textContent()) ?? "", /^[\d.,]+$/);
  assert.match((await start.locator('[data-header="Out per minute"]').textContent()) ?? "", /^[\d.,]+$/);
});

check("filters are kept under a name, however hostile it is, and it is only ever text", async () => {
  const page = await tab("/queues?show=letters&status=discarded");
  await page.getByRole("button", { name: "Saved filters" }).click();
  await page.getByRole("menuitem", { name: "Keep what is set now…" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill(HOSTILE);
  await page.getByRole("button", { name: "Keep", exact: true }).click();
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  await page.goto("/queues?show=letters");
  await page.getByRole("button", { name: "Saved filters" }).click();
  await page.getByRole("menuitem", { name: "<img src=x" }).click();
  await page.waitForURL("**status=discarded**");
  assert.equal(await page.locator("img[src=x]").count(), 0);
  assert.ok(!(await page.title()).includes("owned"));
  await page.getByRole("button", { name: "Saved filters" }).click();
  await page.getByRole("button", { name: /^Forget/ }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Forget them" }).click();
});
