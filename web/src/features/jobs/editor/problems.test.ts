import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { read } from "./document";
import { layoutOf } from "./layouts";
import { problemsAt, schemaProblems, serverProblems } from "./problems";
import { type Schema, stepTypes } from "./schema";

const SCHEMA = JSON.parse(readFileSync("../docs/job.schema.json", "utf8")) as Schema;

const of = (text: string) => schemaProblems(SCHEMA, read(text)).map(({ path, line, message }) => ({ path, line, message }));

test("a job that is right has no problem", () => {
  expect(of("name: x\nparameters:\n  svc: Spooler\nsteps:\n  - type: winrm.exec\n    target: [a]\n    command: dir\n    timeoutSec: 9\n")).toEqual([]);
});

test("a mistake is told once, at its line, and of the step's own type alone", () => {
  expect(of("name: x\nsteps:\n  - type: winrm.exec\n    comand: dir\n")).toEqual([
    { path: "steps.0.command", line: 3, message: "is required" },
    { path: "steps.0.comand", line: 4, message: "is not a field here" },
  ]);
  expect(of("name: x\nsteps:\n  - type: winrm.exec\n    command: dir\n    timeoutSec: soon\n")).toMatchObject([{ path: "steps.0.timeoutSec", line: 5 }]);
  expect(of("name: x\nsteps:\n  - type: winrm.exe\n")).toMatchObject([{ path: "steps.0.type", line: 3 }]);
  expect(of("name: x\n")).toMatchObject([{ path: "steps", message: "is required" }]);
  expect(of("name: x\nsteps: []\n")).toMatchObject([{ path: "steps" }]);
  expect(of("name: x\nsteps: 3\n")).toMatchObject([{ path: "steps" }]);
});

test("text that is no YAML is told where it breaks", () => {
  expect(of("name: x\nsteps:\n  - type: [\n")[0]).toMatchObject({ path: "" });
});

test("what the server says stands at the line it names, also inside a script", () => {
  const text = "name: x\nsteps:\n  - type: winrm.exec\n    command: |\n      dir\n      echo '{{ a }}'\n";
  const [problem] = serverProblems(read(text), [{ path: "steps.0.command", line: 6, column: 1, message: "no", suggestion: null }]);
  expect(problem).toMatchObject({ line: 6, path: "steps.0.command" });
  expect(text.slice(problem?.from, problem?.to)).toBe("echo '{{ a }}'");
  expect(problemsAt(problem ? [problem] : [], "steps.0")).toBe("no");
});

test("every type of the schema has a form, each field on it once, and the hand-arranged ones begin with the script", () => {
  const types = stepTypes(SCHEMA);
  expect(types.map(({ type }) => type)).toContain("winrm.exec");
  for (const type of types) {
    const { main, groups } = layoutOf(type);
    const shown = [...main, ...groups.flatMap(({ fields }) => fields)].map(({ name }) => name);
    expect(new Set(shown).size).toBe(shown.length);
    expect([...shown, "name"].sort()).toEqual(type.fields.map(({ name }) => name).sort());
  }
  expect(types.filter(({ type }) => type === "winrm.exec").flatMap((type) => layoutOf(type).main.map(({ name }) => name))).toEqual(["target", "shell", "command"]);
});

test("kinds of fields follow from the schema", () => {
  const fields = Object.fromEntries((stepTypes(SCHEMA).find(({ type }) => type === "ssh.exec")?.fields ?? []).map(({ name, kind }) => [name, kind]));
  expect(fields).toMatchObject({
    target: "targets", shell: "enum", command: "long", timeoutSec: "number", env: "map", needs: "texts", success_codes: "numbers", fail_on: "group", sudo: "group", pty: "boolean", cwd: "text",
  });
});

test("a type that is added later appears with all its fields", () => {
  const later: Schema = {
    properties: { steps: { items: { oneOf: [{ $ref: "#/$defs/Later" }] } } },
    $defs: { Later: { description: "Later.", required: ["what"], properties: { type: { const: "later.step" }, extra: { type: "boolean" }, what: { type: "string" }, deep: { type: "object", additionalProperties: true } } } },
  };
  expect(stepTypes(later).map((type) => layoutOf(type).main.map(({ name, kind }) => `${name}:${kind}`))).toEqual([["what:text", "extra:boolean", "deep:free"]]);
});
