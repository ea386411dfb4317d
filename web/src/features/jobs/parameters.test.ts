import fc from "fast-check";
import { expect, test } from "vitest";

import { asCli, asCurl } from "./as-command";
import { begun, type Filled, filledWith, narrowed, parameterOf, parametersOf, refusalOf, refusalsOf, valuesOf } from "@/ui/parameters/model";

const DEFINITION = {
  parameters: {
    svc: "Spooler",
    count: { type: "integer", default: 5, minimum: 1, maximum: 10 },
    ratio: { type: "number" },
    force: { type: "boolean", default: true },
    ring: { type: "string", choices: ["a", "b"], required: true },
    size: { type: "integer", choices: [1, 2] },
    token: { type: "secret", required: true },
    site: { type: "string", pattern: "[a-z]{3}" },
  },
};
const ALL = parametersOf(DEFINITION);
const named = (name: string) => parameterOf(name, DEFINITION.parameters[name as keyof typeof DEFINITION.parameters]);

test("a form opens with the defaults, the last values where they still fit, and never with a secret", () => {
  const filled = begun(ALL, { svc: "W32Time", count: 99, token: "old", ring: "b" });
  expect(filled).toMatchObject({ svc: "W32Time", count: "5", force: true, ring: "b", token: "" });
});

test.each([
  ["count", "0", "must be at least 1"], ["count", "11", "must be at most 10"], ["count", "1.5", "must be a whole number"], ["count", "x", "must be a number"],
  ["count", "", null], ["ring", "", "is required"], ["ring", "c", "must be one of a, b"], ["token", "", "is required"], ["site", "ab", "must match [a-z]{3}"], ["site", "abc", null],
])("%s = %j: %s", (name, text, reason) => expect(refusalOf(named(name), text)).toBe(reason));

test("values are sent with the type that was declared", () => {
  expect(valuesOf(ALL, { ...begun(ALL), svc: "", count: "7", ratio: "", ring: "a", size: "2", token: "s" })).toEqual({
    svc: "", count: 7, force: true, ring: "a", size: 2, token: "s",
  });
});

test("a pattern of the server's own dialect is left to the server", () => {
  expect(refusalOf(parameterOf("x", { pattern: "(?i)abc" }), "ABC")).toBeNull();
});

test("nothing that a form refuses is sent, and what it accepts has the right type", () => {
  const given = fc.record({ count: fc.string(), ratio: fc.oneof(fc.string(), fc.double().map(String)) });
  fc.assert(
    fc.property(given, (filled) => {
      const refused = refusalsOf([named("count"), named("ratio")], filled);
      const values = valuesOf([named("count"), named("ratio")], filled);
      for (const [name, value] of Object.entries(values)) if (!(name in refused)) expect(typeof value).toBe("number");
    }),
  );
});

test("a copied command keeps hostile values as one word and leaves secrets out", () => {
  const wish = { parameters: { svc: "a'; rm -rf / #", token: "hush" }, targets: ["web 1"], even_if_inactive: false };
  expect(asCli("It's a job", wish, ALL)).toBe(String.raw`opsconductor run 'It'\''s a job' -p 'svc=a'\''; rm -rf / #' -t 'web 1' --follow`);
  const curl = asCurl("https://ops.example", "id", wish, ALL);
  expect(curl).not.toContain("hush");
  expect(curl).toContain(`"targets":["web 1"]`);
  expect(asCli("x", { ...wish, targets: { query: "os:linux", on_empty: "fail" } }, ALL)).toBeNull();
});

test("dates and files are looked at before they are sent, targets by the server alone", () => {
  const of = (type: string, text: string) => refusalOf(parameterOf("x", { type }), text);
  expect(["2026-03-31", "2028-02-29", ""].map((text) => of("date", text))).toEqual([null, null, null]);
  expect(["2026-02-30", "31.03.2026", "20260331"].every((text) => of("date", text) === "must be a date, as 2026-03-31")).toBe(true);
  expect([of("file", "notes.txt"), of("file", "6b1f0f0e-8f0b-4c53-9a43-0d3c5c1f2a11"), of("target", "web-1")]).toEqual(["must be the id of a stored file", null, null]);
});

const CHOOSING = parametersOf({
  parameters: {
    server: { depends_on: "site", choices_for: { berlin: ["b1", "b2"], paris: ["p1"] }, default: "b1", required: true },
    site: { choices: ["berlin", "paris", "oslo"], required: true },
    services: { type: "multi", choices: ["web", "db", "it's $(x)"], min_items: 1, max_items: 2 },
    who: { type: "credential" },
  },
});
const now = (filled: Filled) => narrowed(CHOOSING, filled);
const reasons = (filled: Filled) => refusalsOf(now(filled), filled);

test("choices follow the value of another parameter, in the words of the server", () => {
  const filled = { ...begun(CHOOSING), services: ["web"] };
  expect(filled).toMatchObject({ site: "", server: "" });
  expect(reasons(filled)).toEqual({ site: "is required", server: "is required" });
  const berlin = filledWith(CHOOSING, filled, "site", "berlin");
  expect([berlin.server, reasons(berlin)]).toEqual(["b1", {}]);
  expect(filledWith(CHOOSING, berlin, "site", "paris").server).toBe("");
  expect(reasons({ ...berlin, site: "paris" })).toEqual({ server: "must be one of p1 while site is paris" });
  expect(reasons({ ...berlin, site: "oslo" })).toEqual({ server: "has no choices while site is oslo" });
});

test("what followed the last run's value is filled in with it", () => {
  expect(begun(CHOOSING, { site: "paris", server: "p1", services: ["db"], who: "deploy" })).toEqual({ site: "paris", server: "p1", services: ["db"], who: "deploy" });
  expect(begun(CHOOSING, { site: "paris", server: "b2", services: ["gone"] })).toMatchObject({ site: "paris", server: "", services: [] });
});

test("several choices are sent as a list, refused by their number and by what is none of them", () => {
  const of = (items: readonly string[]) => reasons({ site: "berlin", server: "b1", services: items }).services;
  expect([of([]), of(["web"]), of(["web", "db", "it's $(x)"]), of(["mail"])]).toEqual([
    "needs at least one choice", undefined, "may have at most 2 choices", "mail is not a choice; it must be one of web, db, it's $(x)",
  ]);
  expect(valuesOf(CHOOSING, { site: "berlin", server: "b1", services: ["db", "web"], who: "" })).toEqual({ site: "berlin", server: "b1", services: ["db", "web"] });
});

test("a copied command says each choice by itself, and that none was chosen", () => {
  const cli = (services: readonly string[]) => asCli("x", { parameters: { services }, targets: null, even_if_inactive: false }, CHOOSING);
  expect(cli(["web", "it's $(x)"])).toBe(String.raw`opsconductor run x -p services=web -p 'services=it'\''s $(x)' --follow`);
  expect(cli([])).toBe("opsconductor run x -p services= --follow");
});

test("parameters that wait for one another in a circle still open", () => {
  const circle = parametersOf({ parameters: { a: { depends_on: "b", choices_for: {} }, b: { depends_on: "a", choices_for: {} } } });
  expect(begun(circle)).toEqual({ a: "", b: "" });
});
