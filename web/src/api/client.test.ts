import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { Problem } from "@/lib/problem";

import { api, body } from "./client";
import { begin, end, isLapsed, isSignedIn } from "./session";

const tokens = (name: string) => ({ access_token: name, refresh_token: `r-${name}`, token_type: "bearer" as const, expires_in: 900, must_change_password: false });
const json = (value: unknown, status = 200) => new Response(JSON.stringify(value), { status, headers: { "content-type": "application/json" } });
const refusal = (status: number, code: string) => json({ code, detail: "No.", errors: [{ field: "name", reason: "is taken" }], request_id: "q" }, status);

let sent: { path: string; token: string | null; key: string | null; body: string }[];
let answer: (path: string, token: string | null) => Response;

beforeEach(() => {
  sent = [];
  vi.stubGlobal("fetch", async (input: RequestInfo | URL, init?: RequestInit) => {
    const request = new Request(input instanceof Request ? input : new URL(String(input), location.origin), init);
    const path = new URL(request.url).pathname;
    const token = request.headers.get("authorization");
    sent.push({ path, token, key: request.headers.get("idempotency-key"), body: await request.text() });
    return answer(path, token);
  });
  begin(tokens("old"));
});
afterEach(end);

const cancel = (run_id = "1") => body(api.POST("/api/v1/runs/{run_id}/rerun", { params: { path: { run_id } }, body: { tasks: "all", version: "same", parameters: {} } }));

test("a token refused in mid-action is renewed and the same request sent once more", async () => {
  answer = (path, token) => (path === "/api/refresh" ? json(tokens("new")) : token === "Bearer new" ? json({ id: "1", status: "requested" }) : refusal(401, "unauthenticated"));

  await cancel();

  const [first, , second] = sent;
  expect(sent.map(({ path }) => path)).toEqual(["/api/v1/runs/1/rerun", "/api/refresh", "/api/v1/runs/1/rerun"]);
  expect(second?.body).toBe(first?.body);
  expect(second?.key).toBe(first?.key);
  expect(first?.key).toMatch(/^[0-9a-f]{32}$/);
});

test("many requests that find the token old renew it once", async () => {
  answer = (path, token) => (path === "/api/refresh" ? json(tokens("new")) : token === "Bearer new" ? json({}) : refusal(401, "unauthenticated"));

  await Promise.all([cancel("1"), cancel("2"), cancel("3")]);

  expect(sent.filter(({ path }) => path === "/api/refresh")).toHaveLength(1);
});

test("what was asked for in a session that has ended is done once the user has signed in again", async () => {
  answer = (_, token) => (token === "Bearer again" ? json({ id: "1", status: "requested" }) : refusal(401, "unauthenticated"));
  const asked = cancel();
  await vi.waitFor(() => expect(isLapsed()).toBe(true));

  begin(tokens("again"));

  await asked;
  expect(sent.at(-1)).toEqual({ ...sent[0], token: "Bearer again" });
});

test("it is refused when the user leaves", async () => {
  answer = () => refusal(401, "unauthenticated");
  const asked = cancel();
  await vi.waitFor(() => expect(isLapsed()).toBe(true));

  end();

  await expect(asked).rejects.toMatchObject({ status: 401 });
  expect(isSignedIn()).toBe(false);
});

test("what is asked for twice while the first is under way is asked for once, and later anew", async () => {
  answer = () => json({ id: "1", status: "requested" });

  const twins = await Promise.all([cancel(), cancel(), cancel("2")]);

  expect(twins.map(({ id }) => id)).toEqual(["1", "1", "1"]);
  expect(sent.map(({ path }) => path).sort()).toEqual(["/api/v1/runs/1/rerun", "/api/v1/runs/2/rerun"]);
  await cancel();
  expect(sent).toHaveLength(3);
});

test("a refusal is a problem with its fields, an answer of a proxy one that says so, no answer one as well", async () => {
  answer = () => refusal(422, "invalid");
  await expect(cancel()).rejects.toMatchObject({ status: 422, code: "invalid", fields: [{ field: "name", reason: "is taken" }], requestId: "q" });
  answer = () => new Response("<h1>Bad gateway</h1>", { status: 502 });
  await expect(cancel()).rejects.toMatchObject({ status: 502, code: "unreadable" });
  answer = () => { throw new TypeError("Failed to fetch"); };
  await expect(cancel()).rejects.toBeInstanceOf(Problem);
});
