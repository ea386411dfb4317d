/**
 * Who is signed in, in this tab and in all others.
 *
 * The access token (15 min) lives in memory only. The refresh token lies in localStorage, because a reload and
 * a second tab must not ask for the password again. What makes that bearable: the page's content policy lets no
 * foreign script run, the token works once, and using a used one ends its whole family on the server.
 * One tab renews at a time (Web Locks) and tells the others (BroadcastChannel). On plain http there are no
 * locks; then two tabs may use the same token within the server's ten seconds of grace.
 *
 * A session that the server has ended lapses: what is on the page stays, what was asked for waits, and whoever signs
 * in again (or leaves) decides. Where nothing was shown with it yet, it ends at once.
 */
import { readItem, writeItem } from "@/lib/storage";
import { problemOf, unreachable } from "@/lib/problem";

import type { components } from "./schema.gen";

type TokenView = components["schemas"]["TokenView"];

interface Access {
  token: string;
  /** Milliseconds since 1970. */
  expiresAt: number;
}

type News = { kind: "renewed"; access: Access } | { kind: "ended" };

const REFRESH_KEY = "ops.refresh";
const MUST_CHANGE_KEY = "ops.must-change-password";
const EARLY_MS = 30_000;

let access: Access | null = null;
/** Word of another tab may be quicker than what it wrote to the storage. */
let ended = false;
/** Whether something may stand on this page that was read or typed in this session. */
let entered = false;
let lapse: { token: Promise<string | null>; settle: (token: string | null) => void } | null = null;
const listeners = new Set<() => void>();
const channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("ops.session");

const tell = (): void => {
  for (const listener of listeners) listener();
};

const settle = (now: Access | null): void => {
  access = now;
  ended = now === null;
  entered = now !== null;
  lapse?.settle(now?.token ?? null);
  lapse = null;
  tell();
};

if (channel) channel.onmessage = ({ data }: MessageEvent<News>) => settle(data.kind === "renewed" ? data.access : null);

/** Called whenever somebody signed in or out, here or in another tab. */
export const onSessionChange = (listener: () => void): (() => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export const isSignedIn = (): boolean => !ended && readItem(REFRESH_KEY) !== null;

/** Whether somebody has to sign in again for this page to go on. */
export const isLapsed = (): boolean => lapse !== null;

/** What the server knows this session by; only to end it there. */
export const refreshTokenOfTab = (): string | null => (ended ? null : readItem(REFRESH_KEY));

/** Whether the user has to choose a password before anything else. */
export const mustChangePassword = (): boolean => readItem(MUST_CHANGE_KEY) !== null;

/** Take these tokens over, in every tab. */
export const begin = (tokens: TokenView): void => {
  const now = { token: tokens.access_token, expiresAt: Date.now() + tokens.expires_in * 1_000 };
  writeItem(REFRESH_KEY, tokens.refresh_token);
  writeItem(MUST_CHANGE_KEY, tokens.must_change_password ? "yes" : null);
  const news: News = { kind: "renewed", access: now };
  channel?.postMessage(news);
  settle(now);
};

/** Forget the session, in every tab. */
export const end = (): void => {
  writeItem(REFRESH_KEY, null);
  writeItem(MUST_CHANGE_KEY, null);
  const news: News = { kind: "ended" };
  channel?.postMessage(news);
  settle(null);
};

/** A token that is good for at least half a minute; null when nobody is signed in. */
export const accessToken = async (): Promise<string | null> => {
  if (access && access.expiresAt - Date.now() > EARLY_MS) return access.token;
  return renew(access?.token ?? null);
};

/** A token other than `stale`, which the server did not like; null when the session has ended. Waits while it lapses. */
export const renew = async (stale: string | null): Promise<string | null> => (await fresh(stale)) ?? (lapse ? lapse.token : (access?.token ?? null));

const fresh = (stale: string | null): Promise<string | null> =>
  alone(async () => {
    if (lapse) return null;
    if (access && access.token !== stale && access.expiresAt > Date.now()) return access.token;
    const refreshToken = ended ? null : readItem(REFRESH_KEY);
    return refreshToken === null ? null : redeem(refreshToken);
  });

let inFlight: Promise<string | null> | null = null;

/** One renewal at a time: of this tab in any case, of all tabs where the browser can. */
const alone = (work: () => Promise<string | null>): Promise<string | null> => {
  inFlight ??= (async () => {
    try {
      // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- there are no locks on plain http
      return navigator.locks ? await navigator.locks.request("ops.session", work) : await work();
    } finally {
      inFlight = null;
    }
  })();
  return inFlight;
};

const redeem = async (refreshToken: string): Promise<string | null> => {
  const response = await fetch("/api/refresh", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ refresh_token: refreshToken }),
  }).catch(() => {
    throw unreachable();
  });
  if (response.ok) {
    begin((await response.json()) as TokenView);
    return access?.token ?? null;
  }
  if (response.status !== 401 && response.status !== 422) throw await problemOf(response);
  if (entered) beginLapse();
  else end();
  return null;
};

const beginLapse = (): void => {
  access = null;
  let settled: (token: string | null) => void = () => undefined;
  const token = new Promise<string | null>((resolve) => {
    settled = resolve;
  });
  lapse = { token, settle: settled };
  tell();
};
