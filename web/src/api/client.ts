/** The one way to the API: typed by its description, signed in, and every refusal a `Problem`. */
import createClient, { type Middleware } from "openapi-fetch";

import { randomKey } from "@/lib/ids";
import { problemOf, unreachable } from "@/lib/problem";

import type { components, paths } from "./schema.gen";
import { accessToken, renew } from "./session";

export type Schemas = components["schemas"];

const OPEN_PATHS: ReadonlySet<string> = new Set(["/api/login", "/api/refresh"]);

const send = (request: Request): Promise<Response> =>
  fetch(request).catch((error: unknown) => {
    if (request.signal.aborted) throw error;
    throw unreachable();
  });

/** Named in every request: a run started from here was started by hand. */
const CLIENT = "web";

const withToken = (request: Request, token: string): Request => {
  request.headers.set("authorization", `Bearer ${token}`);
  return request;
};

const underWay = new Map<string, Promise<Response>>();

/** Pressed twice while the first is under way, a button acts once: its twin gets the first one's answer. */
const once = async (request: Request, act: () => Promise<Response>): Promise<Response> => {
  if (request.method !== "POST" || !request.headers.get("content-type")?.includes("json")) return act();
  const sameness = `${request.url} ${await request.clone().text()}`;
  const answer = underWay.get(sameness) ?? act().finally(() => underWay.delete(sameness));
  underWay.set(sameness, answer);
  return (await answer).clone();
};

/** Sends with the session's token; when that is refused in mid-action, renews it and sends once more. */
export const authorizedFetch = async (request: Request): Promise<Response> => {
  if (OPEN_PATHS.has(new URL(request.url).pathname)) return send(request);
  const token = await accessToken();
  if (token === null) return send(request);
  const again = request.clone();
  const response = await send(withToken(request, token));
  if (response.status !== 401) return response;
  const renewed = await renew(token);
  return renewed === null ? response : send(withToken(again, renewed));
};

/** Every POST can be repeated without doing its work twice; a form that may be sent twice brings its own key. */
const keys: Middleware = {
  onRequest({ request }) {
    request.headers.set("ops-client", CLIENT);
    if (request.method === "POST" && !request.headers.has("idempotency-key"))
      request.headers.set("idempotency-key", randomKey());
    return request;
  },
};

const problems: Middleware = {
  async onResponse({ response }) {
    if (!response.ok) throw await problemOf(response);
  },
};

export const api = createClient<paths>({
  baseUrl: window.location.origin,
  fetch: (request) => once(request, () => authorizedFetch(request)),
  querySerializer: { array: { style: "form", explode: true } },
});
api.use(keys, problems);

/** The body of an answer. Refusals were thrown before, so there is one. */
export const body = async <T>(answer: Promise<{ data?: T }>): Promise<T> => (await answer).data as T;

/** Headers of a POST that creates: `key` stays the same however often the user presses the button. */
export const creating = (key: string): { "idempotency-key": string } => ({ "idempotency-key": key });

/** Headers of a change to what was read with this ETag; someone else's change in between is then refused. */
export const ifMatch = (etag: string): { "if-match": string } => ({ "if-match": etag });

/** The body of an answer with the ETag to send back in `ifMatch`. */
export const tagged = async <T>(
  answer: Promise<{ data?: T; response: Response }>,
): Promise<{ data: T; etag: string | null }> => {
  const { data, response } = await answer;
  return { data: data as T, etag: response.headers.get("etag") };
};
