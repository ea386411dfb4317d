import { expect, test } from "vitest";

import type { RunStatus } from "@/ui/status";

import type { Run, RunPage } from "./api";
import { withHead, withStatuses } from "./merging";

const run = (id: string, status: RunStatus = "running"): Run => ({
  id, status, job_id: "j", job_name: "job", job_version: 1, trigger: "manual", requested_by: "user:1", requested_by_name: "ann",
  requested_at: "2026-01-01T00:00:00Z", started_at: null, ended_at: null, duration_seconds: null, cancel_requested_at: null,
  parked_by: null, reason: null, targets_count: 0, correlation_id: "c", rerun_of: null,
  progress: { total: 0, pending: 0, ready: 0, running: 0, succeeded: 0, failed: 0, timed_out: 0, cancelled: 0, skipped: 0, unknown: 0 },
});

const page = (ids: string, next: string | null = "more"): RunPage => ({ items: Array.from(ids).map((id) => run(id)), next_cursor: next });
const pagesOf = (...pages: RunPage[]) => ({ pages, pageParams: pages.map(() => null) });
const ids = (pages: ReturnType<typeof withHead>) => pages?.pages.flatMap(({ items }) => items.map(({ id }) => id)).join("");

test("new runs come on top and nothing below is lost or doubled", () => {
  expect(ids(withHead(pagesOf(page("gfe"), page("dcb")), page("hgf")))).toBe("hgfedcb");
});

test("a run that no longer fits the filter leaves the part that was read anew", () => {
  expect(ids(withHead(pagesOf(page("gfe"), page("dcb")), page("ge")))).toBe("gedcb");
});

test("a head that does not reach what is known leaves a gap, which has to be read", () => {
  expect(withHead(pagesOf(page("cba")), page("zyx"))).toBeNull();
});

test("a list that fits on one page is simply replaced", () => {
  expect(ids(withHead(pagesOf(page("cba", null)), page("d", null)))).toBe("d");
});

test("statuses change in place, and nothing is made anew when none did", () => {
  const known = pagesOf(page("ba"));
  expect(withStatuses(known, new Map([["a", "failed"]])).pages[0]?.items.map(({ status }) => status)).toEqual(["running", "failed"]);
  expect(withStatuses(known, new Map([["a", "running"], ["z", "failed"]]))).toBe(known);
});
