import { expect, test } from "vitest";

import type { SavedFilter } from "@/api/saved-filters";

import { alike, linkOf, opening } from "./model";

const kept = (id: string, more: Partial<SavedFilter> = {}): SavedFilter => ({
  id, page: "runs", name: id, query: { status: ["failed"] }, shared: false, own: true, changeable: true, default: false, owner_name: "ann",
  created_at: "2026-11-22T00:00:00Z", ...more,
});

test("a bare address opens with the default; one that filters already, or says `all`, stays as it is", () => {
  const filters = [kept("a"), kept("b", { default: true })];

  expect(opening(undefined, {}, filters)).toEqual({ kind: "show", filter: filters[1] });
  expect(opening(undefined, { status: ["unknown"] }, filters)).toEqual({ kind: "as-it-is" });
  expect(opening("all", {}, filters)).toEqual({ kind: "as-it-is" });
  expect(opening(undefined, {}, [kept("a")])).toEqual({ kind: "as-it-is" });
});

test("a link that names kept filters opens them, and says when they are gone", () => {
  const filters = [kept("a"), kept("b", { default: true }), kept("empty", { query: {} })];

  expect(opening("a", {}, filters)).toEqual({ kind: "show", filter: filters[0] });
  expect(opening("a", { since: "24h" }, filters)).toEqual({ kind: "as-it-is" });
  expect(opening("empty", {}, filters)).toEqual({ kind: "as-it-is" });
  expect(opening("gone", { since: "24h" }, filters)).toEqual({ kind: "missing" });
});

test("filters are alike whatever the order, and not when one more is set", () => {
  expect(alike({ status: ["failed", "unknown"], since: "24h" }, { since: "24h", status: ["unknown", "failed"], q: undefined })).toBe(true);
  expect(alike({ status: ["failed"] }, { status: ["failed"], q: "x" })).toBe(false);
});

test("the link has the room and the view, and nothing of what happens to be set", () => {
  expect(linkOf("https://ops.test/runs?status=failed#x", "a")).toBe("https://ops.test/runs?view=a");
  expect(linkOf("https://ops.test/queues?show=letters&q=1", "a", { show: "letters" })).toBe("https://ops.test/queues?show=letters&view=a");
});
