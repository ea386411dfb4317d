import { expect, test } from "vitest";

import { begun, parametersOf } from "@/ui/parameters/model";

import { changesOf, textOf } from "./parameter-values";

const PARAMETERS = parametersOf({
  parameters: { svc: "Spooler", count: 3, dry: true, on: { type: "date" }, key: { type: "secret" }, note: { type: "string", default: "x" } },
});
const BEFORE = { svc: "W32Time", count: 7, dry: false, on: "2026-03-31", note: "y" };
const filled = (change: Record<string, string | boolean> = {}) => ({ ...begun(PARAMETERS, BEFORE), ...change });

test("what a run had is filled in, and sent only where it was changed", () => {
  expect(filled()).toEqual({ svc: "W32Time", count: "7", dry: false, on: "2026-03-31", key: "", note: "y" });
  expect(changesOf(PARAMETERS, filled(), BEFORE)).toEqual({});
  expect(changesOf(PARAMETERS, filled({ count: "8", dry: true, svc: "Spooler" }), BEFORE)).toEqual({ svc: "Spooler", count: 8, dry: true });
});

test("what was emptied is sent as empty, or the value of before would stay", () => {
  expect(changesOf(PARAMETERS, filled({ on: "", note: "" }), BEFORE)).toEqual({ on: "", note: "" });
});

test("a secret is sent only when it was typed anew", () => {
  expect(changesOf(PARAMETERS, filled({ key: "s3cret" }), BEFORE)).toEqual({ key: "s3cret" });
});

test("text stands as it is, the rest as JSON", () => {
  expect([textOf("a"), textOf(3), textOf(null), textOf(undefined)]).toEqual(["a", "3", "null", ""]);
});
