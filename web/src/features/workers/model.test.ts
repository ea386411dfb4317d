import { expect, test } from "vitest";

import type { Worker } from "./api";
import { fits, slotsOf, stateNote, unserved } from "./model";

const worker = { roles: ["executor"], pools: ["dmz"], state: "stale" } as Worker;

test("a pool nobody serves is explained, with what waits and what to do", () => {
  const pool = { pool: "dmz", ready: 2, running: 0, executors: 0, oldest_seconds: 61 };

  expect(unserved(pool)).toMatch(/No living executor serves the pool dmz\. 2 tasks wait, the oldest for 1 min 01 s\..*OPS_POOLS=dmz/);
  expect(unserved({ ...pool, executors: 1 })).toBeNull();
});

test("workers are found by pool, role and state together", () => {
  expect(fits(worker, { pool: "dmz", role: "executor", state: "stale" })).toBe(true);
  expect(fits(worker, { pool: "dmz", state: "serving", role: undefined })).toBe(false);
  expect(fits(worker, { pool: "other", state: undefined, role: undefined })).toBe(false);
});

test("draining and stale say what becomes of what they held; serving needs no note", () => {
  expect(stateNote({ state: "serving", running: 3 })).toBeNull();
  expect(stateNote({ state: "draining", running: 2 })).toBe("ends after 2 tasks, or hands over");
  expect(stateNote({ state: "draining", running: 0 })).toBe("takes no more work");
  expect(stateNote({ state: "stale", running: 1 })).toBe("1 task to be taken over");
});

test("only slots that take work are counted", () => {
  const executor = (state: Worker["state"], slots: number, running: number) => ({ roles: ["executor"], state, slots, running }) as Worker;

  expect(slotsOf([executor("serving", 10, 4), executor("serving", 5, 5), executor("draining", 10, 2), executor("stale", 10, 0)])).toEqual({ used: 9, free: 6, all: 15 });
});
