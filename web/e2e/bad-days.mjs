// Bad days: the server away, its code replaced, sessions that end, slow answers.
import assert from "node:assert/strict";

import { openApi } from "./support/api.mjs";
import { checks, until } from "./support/check.mjs";

const { check, person, beside, theApi, url, who } = checks();
/** What a browser says on the console of answers that did not come, or were refusals. */
const NETWORK = /Failed to load resource|ERR_|could not be loaded|Failed to fetch|error occurred in the <|NotLoaded/;
const UNAUTHENTICATED = { status: 401, contentType: "application/problem+json", body: '{"code":"unauthenticated","detail":"The token has expired."}' };
const mark = Date.now().toString(36);

const queues = (page) => page.getByRole("table", { name: "Queues of the broker" });
const rooms = (page) => page.getByRole("navigation", { name: "Rooms" });
const working = async (path = "/workers") => {
  const page = await person(path);
  await page.locator(".status", { hasText: "Serving" }).first().waitFor();
  return page;
};
const counted = (page, event) => {
  const seen = { count: 0 };
  page.on(event, () => (seen.count += 1));
  return seen;
};
/** Answers of this kind are held back until `open` is called. */
const gate = () => {
  let open;
  const opened = new Promise((resolve) => (open = resolve));
  return { opened, open };
};

check("while the whole server is away a room not yet seen says so in words, its frame stays, and it comes by itself", async () => {
  const page = await working();
  await page.context().setOffline(true);
  await rooms(page).getByRole("link", { name: "Queues" }).click();
  await page.getByRole("alert").getByText("OpsConductor cannot be reached").waitFor();
  await page.getByRole("button", { name: "Try again" }).click();
  await rooms(page).waitFor();
  await page.context().setOffline(false);
  await queues(page).waitFor();
}, { bears: NETWORK });

check("while only the API is away the room says so, and `Try again` tries again", async () => {
  const page = await working();
  await page.route("**/api/**", (route) => route.abort());
  await rooms(page).getByRole("link", { name: "Queues" }).click();
  await page.getByText("OpsConductor cannot be reached").first().waitFor();
  await page.unroute("**/api/**");
  await page.getByRole("button", { name: "Try again" }).first().click();
  await queues(page).waitFor();
}, { bears: NETWORK });

const withoutCode = (page, isGone) =>
  page.context().route("**/assets/queues-page-*.js", (route) => (isGone() ? route.fulfill({ status: 404, body: "gone" }) : route.continue()));

check("after an upgrade a room whose code has another name now is loaded with one reload", async () => {
  const page = await working();
  const loads = counted(page, "load");
  await withoutCode(page, () => loads.count === 0);
  await rooms(page).getByRole("link", { name: "Queues" }).click();
  await queues(page).waitFor();
  assert.equal(loads.count, 1);
}, { bears: NETWORK });

check("a room whose code stays away says so after one reload, and `Try again` finds it once it is there", async () => {
  const page = await working();
  const loads = counted(page, "load");
  let gone = true;
  await withoutCode(page, () => gone);
  await rooms(page).getByRole("link", { name: "Queues" }).click();
  await until(() => loads.count === 1);
  await page.getByRole("alert").getByText("could not be loaded").waitFor();
  const again = page.getByRole("button", { name: "Try again" });
  await again.click();
  await until(() => loads.count === 2);
  await page.getByRole("alert").getByText("could not be loaded").waitFor();
  gone = false;
  await again.click();
  await queues(page).waitFor();
  assert.equal(loads.count, 3, "never by itself but once");
}, { bears: NETWORK });

check("a dialog whose code stays away says so alone, leaves the page as it is, and is loaded again in its place", async () => {
  const page = await working();
  let gone = true;
  await page.context().route("**/assets/palette-*.js", (route) => (gone ? route.fulfill({ status: 404, body: "gone" }) : route.continue()));
  const fault = page.getByRole("alert").filter({ hasText: "The palette could not be loaded" });
  await page.keyboard.press("Control+k");
  await fault.waitFor();
  await page.locator(".status", { hasText: "Serving" }).first().waitFor();
  await fault.getByRole("button", { name: "Close" }).click();
  await fault.waitFor({ state: "detached" });
  await page.keyboard.press("Control+k");
  await fault.waitFor();
  gone = false;
  await fault.getByRole("button", { name: "Load it again" }).click();
  await page.getByPlaceholder("Go to, or do…").waitFor();
}, { bears: NETWORK });

const editedTarget = async (page, sessions) => {
  await page.goto("/targets?name=sample-linux");
  await page.getByRole("link", { name: "sample-linux-server" }).click();
  await page.getByRole("button", { name: "Edit…" }).click();
  await page.getByRole("dialog").getByLabel(/^Sessions at once/).fill(sessions);
};
const save = (page) => page.getByRole("dialog").getByRole("button", { name: "Save", exact: true }).click();
const sessionsOf = async (api) => {
  const { items } = await api.get("/api/v1/targets?name=sample-linux-server");
  return (await api.get(`/api/v1/targets/${items.find(({ name }) => name === "sample-linux-server").id}`)).ssh.max_concurrent;
};

check("a token that expired while a form was filled is renewed, and what was filled in is saved once", async () => {
  const page = await person("/targets");
  await editedTarget(page, "11");
  let refused = 0;
  let renewed = 0;
  page.on("request", (request) => (renewed += Number(request.url().endsWith("/api/refresh"))));
  await page.route("**/api/v1/targets/*", (route) => {
    if (route.request().method() === "GET" || refused > 0) return route.continue();
    refused += 1;
    return route.fulfill(UNAUTHENTICATED);
  });
  await save(page);
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  assert.deepEqual([refused, renewed, await sessionsOf(await theApi())], [1, 1, 11]);
}, { bears: NETWORK });

check("a session that was ended while a form was filled asks for the password above it, and the form is saved", async () => {
  const { delete: remove, get } = await theApi();
  const page = await person("/targets");
  await editedTarget(page, "12");
  const [newest] = (await get("/api/v1/me/sessions")).items.sort((a, b) => b.signed_in_at.localeCompare(a.signed_in_at));
  await remove(`/api/v1/me/sessions/${newest.id}`);
  let expired; // its access token would be good for some minutes more
  await page.route("**/api/v1/targets/*", (route) => {
    const token = route.request().headers().authorization;
    expired ??= token;
    return token === expired ? route.fulfill(UNAUTHENTICATED) : route.continue();
  });
  await save(page);
  const entrance = page.getByRole("dialog", { name: "Your session has ended" });
  await entrance.getByLabel(/^Password/).fill("not the one");
  await entrance.getByRole("button", { name: "Sign in and go on" }).click();
  await entrance.getByRole("alert").waitFor();
  await entrance.getByLabel(/^Password/).fill(who.password);
  await entrance.getByRole("button", { name: "Sign in and go on" }).click();
  await page.getByRole("dialog").first().waitFor({ state: "hidden" });
  await until(async () => (await sessionsOf(await theApi())) === 12);
}, { bears: NETWORK });

check("whoever leaves a session that has ended comes to the entrance, and nothing of it is left to see", async () => {
  const page = await working("/workers?state=serving");
  const refuse = (route) => route.fulfill(UNAUTHENTICATED);
  await page.route("**/api/**", refuse);
  await rooms(page).getByRole("link", { name: "Queues" }).click();
  await page.getByRole("button", { name: "Leave this page" }).click();
  await page.waitForURL("**/login?to=**");
  await page.getByLabel("User name").waitFor();
  assert.equal(await page.locator(".status").count(), 0);
}, { bears: NETWORK });

check("two tabs whose token expired use a refresh token once", async () => {
  const one = await working();
  const two = await beside(one, "/workers");
  await two.locator(".status", { hasText: "Serving" }).first().waitFor();
  const held = gate();
  const used = [];
  const old = new Set();
  const refused = new Set();
  for (const page of [one, two]) {
    await page.route("**/api/refresh", async (route) => {
      used.push(route.request().postDataJSON().refresh_token);
      await held.opened;
      await route.continue();
    });
    await page.route("**/api/v1/**", (route) => {
      const token = route.request().headers().authorization;
      if (used.length > 1 || (used.length === 1 && !old.has(token))) return route.continue();
      old.add(token);
      refused.add(page);
      return route.fulfill(UNAUTHENTICATED);
    });
  }
  for (const page of [one, two]) {
    await page.bringToFront();
    await rooms(page).getByRole("link", { name: "Queues" }).click();
  }
  const waiting = () => one.evaluate(async () => (await navigator.locks.query()).pending.length);
  await until(async () => refused.size === 2 && (used.length > 1 || (used.length === 1 && (await waiting()) > 0)));
  held.open();
  for (const page of [one, two]) {
    await page.bringToFront();
    await queues(page).waitFor();
  }
  assert.equal(new Set(used).size, used.length, `a refresh token was used twice: ${used.length} renewals`);
}, { bears: NETWORK });

check("a slow answer shows its place in grey, and a form sent with impatience is sent once", async () => {
  const page = await person("/workers");
  const reading = gate();
  await page.route("**/api/v1/users?*", async (route) => {
    if (route.request().method() === "GET") await reading.opened;
    await route.continue();
  });
  await rooms(page).getByRole("link", { name: "Users" }).click();
  await page.getByRole("status", { name: /^Loading/ }).first().waitFor();
  reading.open();
  await page.getByRole("row").nth(1).waitFor();

  const writing = gate();
  let sent = 0;
  await page.route("**/api/v1/users", async (route) => {
    if (route.request().method() === "POST") {
      sent += 1;
      await writing.opened;
    }
    await route.continue();
  });
  await page.getByRole("button", { name: "Add user" }).click();
  const name = page.getByLabel(/^User name/);
  await name.fill(`hasty-${mark}`);
  await page.getByRole("button", { name: "Create user" }).dblclick({ noWaitAfter: true });
  await name.press("Enter");
  await until(() => sent > 0);
  writing.open();
  await page.getByRole("button", { name: "Done" }).click();
  const { items } = await (await openApi(url, who)).get("/api/v1/users?limit=200");
  assert.deepEqual([sent, items.filter(({ username }) => username === `hasty-${mark}`).length], [1, 1]);
});
