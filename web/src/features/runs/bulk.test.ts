import { beforeEach, expect, test, vi } from "vitest";

import { actOnRuns } from "./api";

interface Asked { action: string; ids?: string[]; filter?: Record<string, unknown>; below?: string }

let asked: Asked[] = [];

/** A server that does `parts` after one another. */
const server = (...parts: object[]): void => {
  asked = [];
  vi.stubGlobal("fetch", vi.fn(async (request: Request) => {
    asked.push((await request.clone().json()) as Asked);
    return Response.json({ done: 0, failed: 0, remaining: 0, next: null, items: [], ...parts[asked.length - 1] });
  }));
};

beforeEach(() => { asked = []; });

test("all that fit a filter are acted on part after part, each below the last, within the same hour", async () => {
  server({ done: 500, remaining: 600, next: "r500" }, { done: 498, failed: 2, remaining: 100, next: "r1000", items: [{ ok: false, detail: "It runs." }] }, { done: 100 });
  const parts: number[] = [];
  const outcome = await actOnRuns({ action: "rerun", which: { filter: { since: "1h" } as never }, onPart: (done) => parts.push(done) });

  expect(asked.map(({ below }) => below)).toEqual([undefined, "r500", "r1000"]);
  expect(new Set(asked.map(({ filter }) => filter?.since)).size).toBe(1);
  expect(parts).toEqual([500, 1000, 1100]);
  expect(outcome).toEqual({ done: 1098, failed: 2, left: 0, refusal: "It runs." });
});

test("the rest is left alone when somebody says so", async () => {
  server({ done: 500, remaining: 600, next: "r500" });

  expect(await actOnRuns({ action: "cancel", which: { filter: {} }, stopped: () => true })).toEqual({ done: 500, failed: 0, left: 600, refusal: null });
  expect(asked).toHaveLength(1);
});

test("more ticked runs than one request takes go in several", async () => {
  server({ done: 500 }, { done: 200 });
  const ids = Array.from({ length: 700 }, (_, at) => `r${at}`);

  expect(await actOnRuns({ action: "cancel", which: { ids } })).toMatchObject({ done: 700, left: 0 });
  expect(asked.map((ask) => ask.ids?.length)).toEqual([500, 200]);
});
