import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { accessToken, begin, end, isLapsed, isSignedIn, onSessionChange, renew } from "./session";

const tokens = (name: string, expires_in = 900) => ({ access_token: name, refresh_token: `r-${name}`, token_type: "bearer" as const, expires_in, must_change_password: false });

let refreshes: string[];
let answer: () => Response;

beforeEach(() => {
  refreshes = [];
  answer = () => Response.json(tokens("new"));
  vi.stubGlobal("fetch", async (_input: string, init: RequestInit) => {
    refreshes.push((JSON.parse(init.body as string) as { refresh_token: string }).refresh_token);
    return answer();
  });
  begin(tokens("old"));
});
afterEach(end);

/** What another tab does: it shares the storage and the channel with this one. */
const otherTab = (): BroadcastChannel => new BroadcastChannel("ops.session");

test("a good token is used as it is, one that is about to end is renewed once for all who ask", async () => {
  expect(await accessToken()).toBe("old");
  begin(tokens("ending", 20));

  expect(await Promise.all([accessToken(), accessToken(), accessToken()])).toEqual(["new", "new", "new"]);
  expect(refreshes).toEqual(["r-ending"]);
});

test("a token that another tab renewed is taken over instead of renewing again", async () => {
  const tab = otherTab();
  tab.postMessage({ kind: "renewed", access: { token: "theirs", expiresAt: Date.now() + 900_000 } });

  await vi.waitFor(async () => expect(await renew("old")).toBe("theirs"));
  expect(refreshes.filter((token) => token !== "r-old")).toEqual([]);
  tab.close();
});

test("signing out in another tab ends the session here too", async () => {
  const heard = vi.fn();
  const stop = onSessionChange(heard);
  const tab = otherTab();
  tab.postMessage({ kind: "ended" });

  await vi.waitFor(() => expect(isSignedIn()).toBe(false));
  expect(heard).toHaveBeenCalled();
  expect(await accessToken()).toBeNull();
  expect(refreshes).toEqual([]);
  tab.close();
  stop();
});

const refusal = (): Response => Response.json({ code: "unauthenticated", detail: "No." }, { status: 401 });

test("a server that is away ends no session", async () => {
  answer = () => new Response("<h1>Bad gateway</h1>", { status: 502 });

  await expect(renew("old")).rejects.toMatchObject({ status: 502 });

  expect([isSignedIn(), isLapsed()]).toEqual([true, false]);
});

test("a refused renewal lets what was asked for wait until somebody signs in again, and asks the server once", async () => {
  answer = refusal;
  const waiting = [renew("old")];
  await vi.waitFor(() => expect(isLapsed()).toBe(true));
  waiting.push(accessToken(), renew("old"));
  expect(isSignedIn()).toBe(true);

  begin(tokens("again"));

  expect(await Promise.all(waiting)).toEqual(["again", "again", "again"]);
  expect([isLapsed(), refreshes]).toEqual([false, ["r-old"]]);
});

test("what waits is answered with nobody when the user leaves, and taken on when another tab signs in", async () => {
  answer = refusal;
  const left = renew("old");
  await vi.waitFor(() => expect(isLapsed()).toBe(true));
  end();
  expect([await left, isSignedIn(), isLapsed()]).toEqual([null, false, false]);

  begin(tokens("old"));
  const waiting = renew("old");
  await vi.waitFor(() => expect(isLapsed()).toBe(true));
  const tab = otherTab();
  tab.postMessage({ kind: "renewed", access: { token: "theirs", expiresAt: Date.now() + 900_000 } });
  expect(await waiting).toBe("theirs");
  tab.close();
});

test("a session that is refused before anything was shown with it has ended", async () => {
  end();
  localStorage.setItem("ops.refresh", "r-stale");
  vi.resetModules();
  const reloaded = await import("./session");
  answer = refusal;

  expect(await reloaded.renew(null)).toBeNull();

  expect([reloaded.isSignedIn(), reloaded.isLapsed()]).toEqual([false, false]);
});
