import { expect, test } from "vitest";

import type { LiveEvent } from "@/api/live-events";
import type { TaskState } from "@/ui/status";

import { cancelReport, type Cell, type Matrix, matrixOf, rerunCounts, shownRows, tallyOf, targetsLike, withEvents } from "./model";
import { barsOf, extentOf, spanAt, ticksOf } from "./timeline";

const at = (second: number): string => new Date(1_700_000_000_000 + second * 1000).toISOString();
const cell = (step: number, state: TaskState, more: Partial<Cell> = {}): Cell => ({ task_id: `${step}`, step, state, attempt: 1, ...more });
const matrix = (targets: Record<string, Cell[]>): Matrix =>
  matrixOf([{
    steps: ["check", "install"].map((name) => ({ name, type: "ssh.exec", needs: null })),
    items: Object.entries(targets).map(([target, cells]) => ({ target, cells: cells.map((one) => ({ ...one, task_id: `${target}/${one.step}` })) })),
    next_cursor: null,
  }]);

const FLEET = matrix({
  "a-ok": [cell(0, "succeeded"), cell(1, "succeeded")],
  "b-running": [cell(0, "succeeded"), cell(1, "running")],
  "c-failed": [cell(0, "failed", { code: "exit_code", exit_code: 3 }), cell(1, "skipped")],
  "d-unknown": [cell(0, "unknown"), cell(1, "pending")],
  "e-settled": [cell(0, "unknown", { resolution: "succeeded" }), cell(1, "succeeded")],
});
const names = (rows: { target: string | null }[]): (string | null)[] => rows.map(({ target }) => target);
const told = (...tasks: object[]): LiveEvent[] => [{ id: null, event: "tasks", data: { tasks } }];

test("what failed stands first, the rest by name, and filters narrow by state and name", () => {
  expect(names(shownRows(FLEET, { states: [], name: "" }))).toEqual(["c-failed", "d-unknown", "a-ok", "b-running", "e-settled"]);
  expect(names(shownRows(FLEET, { states: ["succeeded"], name: "" }))).toEqual(["a-ok", "e-settled"]);
  expect(names(shownRows(FLEET, { states: [], name: " FAIL" }))).toEqual(["c-failed"]);
});

test("a target counts as the worst of its tasks, and as what somebody found out", () => {
  expect(tallyOf(FLEET)).toEqual([["failed", 1], ["unknown", 1], ["running", 1], ["succeeded", 2]]);
});

test("what is skipped was given up where something failed, and otherwise not needed", () => {
  const skipping = (state: TaskState): Matrix => matrix({ a: [cell(0, "succeeded"), cell(1, "skipped")], b: [cell(0, "succeeded"), cell(1, state)] });
  expect(tallyOf(skipping("succeeded"))).toEqual([["succeeded", 2]]);
  expect(tallyOf(skipping("failed"))).toEqual([["failed", 1], ["skipped", 1]]);
});

test("events change cells in place, and an old one changes nothing", () => {
  const now = at(9);
  const next = withEvents(FLEET, told({ task: "b-running/1", state: "failed", attempt: 1, exit_code: 2, error: { code: "exit_code" } }), now);
  expect(next.rows[1]).toMatchObject({ state: "failed", cells: [{}, { state: "failed", exit_code: 2, code: "exit_code", ended_at: now }] });
  expect(next.rows[0]).toBe(FLEET.rows[0]);
  expect(withEvents(next, told({ task: "b-running/1", state: "running", attempt: 1 }), now)).toBe(next);
  expect(withEvents(next, told({ task: "b-running/1", state: "running", attempt: 2 }), now).rows[1]?.cells[1]).toMatchObject({ state: "running", attempt: 2, started_at: now, ended_at: null });
  expect(withEvents(FLEET, told({ task: "d-unknown/0", state: "unknown", attempt: 1, resolution: "failed" }), now).rows[3]?.state).toBe("failed");
});

test("re-run counts targets, not tasks", () => {
  expect(rerunCounts(FLEET)).toEqual({ all: 5, failed: 2, notSucceeded: 3 });
  expect(targetsLike(FLEET, { step: "check", state: "failed", code: "exit_code", exit_code: 3 })).toEqual(["c-failed"]);
});

test("a cancel tells what it stopped, what it still stops and of what nobody knows", () => {
  const stopped = matrix({
    a: [cell(0, "succeeded", { started_at: at(0), ended_at: at(1) }), cell(1, "cancelled", { started_at: at(1), ended_at: at(6) })],
    b: [cell(0, "running", { started_at: at(1) }), cell(1, "cancelled")],
    c: [cell(0, "unknown", { started_at: at(1), ended_at: at(7) }), cell(1, "pending")],
    d: [cell(0, "succeeded", { started_at: at(1), ended_at: at(6) })],
  });
  expect(cancelReport(stopped, at(5))).toEqual({ stopped: ["install on a"], stopping: ["check on b"], unknown: ["check on c"], finished: 1, spared: 2 });
});

test("the timeline reaches from the first start to the last end, or to now", () => {
  const { rows } = matrix({
    a: [cell(0, "succeeded", { started_at: at(0), ended_at: at(5) }), cell(1, "running", { started_at: at(5) })],
    b: [cell(0, "pending")],
  });
  const now = Date.parse(at(10));
  const extent = extentOf(rows);
  const span = extent && spanAt(extent, now);
  expect(span).toEqual({ start: Date.parse(at(0)), end: now });
  expect(span && rows[0] && barsOf(rows[0], span, now)).toEqual([{ step: 0, left: 0, width: 50 }, { step: 1, left: 50, width: 50 }]);
  expect(extentOf(rows.slice(1))).toBeNull();
});

test("ticks are round and few, from a moment to weeks", () => {
  for (const ms of [3, 900, 61_000, 461_000, 5_000_000, 3_000_000_000]) {
    const ticks = ticksOf({ start: 0, end: ms });
    expect(ticks.length).toBeGreaterThanOrEqual(1);
    expect(ticks.length).toBeLessThanOrEqual(6);
    expect(ticks.at(-1)?.left).toBeLessThanOrEqual(100);
  }
  expect(ticksOf({ start: 0, end: 461_000 }).map(({ ms }) => ms)).toEqual([0, 120_000, 240_000, 360_000]);
});

test("5,000 targets by 20 steps are laid out and patched quickly enough for every frame", () => {
  const steps = Array.from({ length: 20 }, (_, step) => ({ name: `s${step}`, type: "ssh.exec", needs: null }));
  const items = Array.from({ length: 5_000 }, (_, row) => ({ target: `t${row}`, cells: steps.map((_step, step) => cell(step, "pending", { task_id: `${row}/${step}` })) }));
  const big = matrixOf([{ steps, items, next_cursor: null }]);
  const started = performance.now();
  const next = withEvents(big, told({ task: "4999/0", state: "running", attempt: 1 }), at(0));
  expect(shownRows(next, { states: ["running"], name: "" })).toHaveLength(1);
  expect(performance.now() - started).toBeLessThan(2_000);
});
