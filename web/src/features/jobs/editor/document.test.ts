import fc from "fast-check";
import { expect, test } from "vitest";

import { asText, type Definition, edit, insert, move, type Path, partOf, read, rename, same, type Value, withPart } from "./document";

const COMMENTED = `# who to ask: the platform team
name: Restart a service   # shown everywhere
parameters:
  svc: Spooler # the usual one

steps:
  # first look
  - name: look
    type: winrm.exec
    target: [web-1,   web-2]
    command: |
      Get-Service {{ svc }}
      # a comment of the script, not of the YAML
  # then act
  - name: act
    type: winrm.exec
    target: web-1
    command: Restart-Service {{ svc }}  # no quotes needed
    timeoutSec: 90
`;
const COMMENTS = COMMENTED.match(/# .*/g) ?? [];

const scalar: fc.Arbitrary<Value> = fc.oneof(
  fc.string({ maxLength: 40 }), fc.string({ unit: "grapheme", maxLength: 20 }), fc.integer(), fc.boolean(), fc.constant(null),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 }).map((value) => (Object.is(value, -0) ? 0 : value)),
  fc.constantFrom("yes", "on", "y", "12:30", "1e3", "0x1f", "# no comment", "a: b", "- x", "{{ svc }}", "\ttab", "  lead", "trail  ", "a\n\nb\n", "\n", "~", "null", "2026-01-01", "'", '"', "|", ">", "&a", "*a", "!t", "%d", "@", "`"),
);
const key = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/);
const value: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof({ depthSize: "small" }, scalar, fc.array(tie("value"), { maxLength: 3 }), fc.dictionary(key, tie("value"), { maxKeys: 4, noNullPrototype: true })),
})).value;
const definition: fc.Arbitrary<Definition> = fc.dictionary(key, value, { minKeys: 1, maxKeys: 5, noNullPrototype: true });

const paths = (of: Value, above: Path = []): Path[] =>
  typeof of === "object" && of !== null
    ? Object.entries(of).flatMap(([name, part]) => {
        const path = [...above, Array.isArray(of) ? Number(name) : name];
        return [path, ...paths(part, path)];
      })
    : [];

test("whatever a definition says, it says the same as text", () => {
  fc.assert(fc.property(definition, (given) => { expect(read(asText(given)).definition).toEqual(given); }), { numRuns: 120 });
});

test("whatever is edited anywhere, the document then says exactly that and nothing else", () => {
  const edits = definition.chain((given) => fc.record({ given: fc.constant(given), path: fc.constantFrom(...paths(given)), part: fc.option(value, { nil: undefined }) }));
  fc.assert(
    fc.property(edits, ({ given, path, part }) => {
      expect(same(read(edit(asText(given), path, part)).definition, withPart(given, path, part))).toBe(true);
    }),
    { numRuns: 120 },
  );
});

test("an edit of any field of a commented document keeps every comment beside what stays", () => {
  const fields: Path[] = [["name"], ["parameters", "svc"], ["steps", 0, "command"], ["steps", 1, "command"], ["steps", 1, "timeoutSec"], ["steps", 1, "target"]];
  fc.assert(
    fc.property(fc.constantFrom(...fields), scalar, (path, part) => {
      const text = edit(COMMENTED, path, part);
      const own = path[1] === 0 ? COMMENTS.filter((comment) => !comment.includes("of the script")) : COMMENTS;
      for (const comment of own) expect(text).toContain(comment);
      expect(partOf(read(text).definition ?? {}, path)).toEqual(part);
    }),
    { numRuns: 60 },
  );
});

test("a changed value changes its own characters only", () => {
  expect(edit(COMMENTED, ["steps", 1, "timeoutSec"], 300)).toBe(COMMENTED.replace("timeoutSec: 90", "timeoutSec: 300"));
  expect(edit(COMMENTED, ["name"], "Stop a service")).toBe(COMMENTED.replace("Restart a service", "Stop a service"));
});

test("a new field and a moved step leave comments and scripts as they were", () => {
  const more = edit(COMMENTED, ["steps", 0, "shell"], "pwsh");
  expect(read(more).definition).toEqual(withPart(read(COMMENTED).definition ?? {}, ["steps", 0, "shell"], "pwsh"));
  const moved = move(COMMENTED, ["steps"], 0, 1);
  expect((read(moved).definition?.steps as Definition[]).map(({ name }) => name)).toEqual(["act", "look"]);
  for (const text of [more, moved]) for (const comment of COMMENTS) expect(text).toContain(comment);
});

test("a step can be put into a document that has none", () => {
  expect(read(insert("name: x\n", ["steps"], 0, { type: "wait", seconds: 1 })).definition).toEqual({ name: "x", steps: [{ type: "wait", seconds: 1 }] });
  expect(read(insert("name: x\nsteps: []\n", ["steps"], 0, { type: "wait" })).definition).toEqual({ name: "x", steps: [{ type: "wait" }] });
});

test("however often it is edited, the indentation stays as it is, and new keys stand where people look for them", () => {
  let text = insert('name: ""\nsteps: []\n', ["steps"], 0, { type: "ssh.exec", command: "a\nb\n" });
  text = edit(text, ["parameters", "who"], { type: "string" });
  for (const value of ["a\n", "b\nc\n", "d"]) text = edit(edit(text, ["steps", 0, "command"], value), ["steps", 0, "env"], { X: value });
  expect(text).toBe('name: ""\nparameters:\n  who:\n    type: string\nsteps:\n  - type: ssh.exec\n    command: |-\n      d\n    env:\n      X: d\n');
});

test("a renamed key keeps its place and does not push another one out", () => {
  const text = rename("a: 1 # one\nb: 2\n", [], "a", "c");
  expect(Object.keys(read(text).definition ?? {})).toEqual(["c", "b"]);
  expect(text).toContain("# one");
  expect(rename(text, [], "c", "b")).toBe(text);
});

test("text that cannot be read is a mistake at its line, never an exception", () => {
  expect(read("name: x\nsteps: [1,\nfoo: bar: baz\n").mistakes[0]?.line).toBeGreaterThan(1);
  expect(read("- 1\n").mistakes).toHaveLength(1);
  expect(read("a: 1\na: 2\n").mistakes[0]?.line).toBe(2);
  fc.assert(fc.property(fc.string(), (text) => { read(text); }), { numRuns: 120 });
});

test("places are told by path, missing fields by their nearest parent", () => {
  const { placeOf } = read(COMMENTED);
  expect(placeOf(["steps", 1, "timeoutSec"]).line).toBe(19);
  expect(placeOf(["steps", 1, "nothing"]).line).toBe(15);
  expect(placeOf(["parameters", "svc"])).toMatchObject({ line: 4, column: 3 });
});

test("words are read as the server reads them", () => {
  expect(read("a: yes\nb: y\nc: 2026-01-01\nd: off\n").definition).toEqual({ a: true, b: "y", c: "2026-01-01", d: false });
});
