import { expect, test } from "vitest";

import { begun, namedIn, parametersOf } from "@/ui/parameters/model";

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

test("a list is sent when it is another, and a credential goes by its name", () => {
  const parameters = parametersOf({ parameters: { services: { type: "multi", choices: ["a", "b"] }, who: { type: "credential" } } });
  const before = { services: ["a"], who: "6b1f0f0e-8f0b-4c53-9a43-0d3c5c1f2a11", ...namedIn(parameters, { who: "deploy" }) };
  expect(before.who).toBe("deploy");
  expect(changesOf(parameters, begun(parameters, before), before)).toEqual({});
  expect(changesOf(parameters, { services: ["a", "b"], who: "" }, before)).toEqual({ services: ["a", "b"], who: "" });
});

test("text stands as it is, the rest as JSON", () => {
  expect([textOf("a"), textOf(3), textOf(null), textOf(undefined), textOf(["a", "b"])]).toEqual(["a", "3", "null", "", "a, b"]);
});
