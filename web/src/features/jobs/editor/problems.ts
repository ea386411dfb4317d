/** What is wrong with a document, at its place: at once by the schema, a moment later by the server, who has the last word. Pure. */
import { type OutputUnit, Validator } from "@cfworker/json-schema";

import type { JobProblem } from "@/features/jobs/api";
import type { Path, Reading, Value } from "./document";
import { resolved, type Schema } from "./schema";

export interface EditorProblem {
  /** `steps.0.command`; empty for the document itself. */
  path: string;
  line: number;
  from: number;
  to: number;
  message: string;
}

const pathOf = (path: string): Path => (path === "" ? [] : path.split(".").map((part) => (/^\d+$/.test(part) ? Number(part) : part)));

const at = (reading: Reading, path: string, message: string): EditorProblem => {
  const { line, from, to } = reading.placeOf(pathOf(path));
  const end = reading.text.indexOf("\n", from);
  return { path, line, from, to: Math.min(Math.max(to, from), end === -1 ? reading.text.length : end), message };
};

const pointed = (pointer: string): string =>
  pointer.replace(/^#\/?/, "").split("/").map((part) => decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~")).join(".");

/** The validator says the same of every level above; only what stands deepest helps. */
const telling = (errors: readonly OutputUnit[]): OutputUnit[] =>
  errors.filter(({ keyword, instanceLocation }) =>
    keyword !== "false" && !["properties", "items", "anyOf", "oneOf", "allOf", "$ref", "patternProperties", "dependentSchemas"].includes(keyword) ||
    (keyword === "anyOf" && !errors.some((other) => other !== errors[0] && other.instanceLocation.startsWith(`${instanceLocation}/`))));

const worded = ({ keyword, error, instanceLocation }: OutputUnit): { path: string; message: string } => {
  const path = pointed(instanceLocation);
  const name = /"([^"]+)"/.exec(error)?.[1] ?? "";
  if (keyword === "required") return { path: path === "" ? name : `${path}.${name}`, message: "is required" };
  if (keyword === "additionalProperties") return { path: path === "" ? name : `${path}.${name}`, message: "is not a field here" };
  return { path, message: error.replace(/\.$/, "") };
};

const check = (schema: Schema, defs: Schema["$defs"], value: Value | undefined, prefix: string): { path: string; message: string }[] => {
  const validator = new Validator({ ...schema, ...(defs ? { $defs: defs } : {}) } as never, "2020-12", false);
  const { valid, errors } = validator.validate(value ?? null);
  if (valid) return [];
  const found = telling(errors).map(worded).map(({ path, message }) => ({ path: [prefix, path].filter((part) => part !== "").join("."), message }));
  return found.length > 0 ? found : [{ path: prefix, message: "is not valid" }];
};

const stepProblems = (root: Schema, step: Value, index: number): { path: string; message: string }[] => {
  const path = `steps.${index}`;
  if (typeof step !== "object" || step === null || Array.isArray(step)) return [{ path, message: "a step is a mapping with a type" }];
  const mapping = root.properties?.steps?.items?.discriminator?.mapping ?? {};
  const { type } = step as { type?: Value };
  const ref = typeof type === "string" && Object.hasOwn(mapping, type) ? mapping[type] : undefined;
  if (type === undefined) return [{ path: `${path}.type`, message: "is required" }];
  if (ref === undefined) return [{ path: `${path}.type`, message: `must be one of ${Object.keys(mapping).join(", ")}` }];
  return check(resolved(root, { $ref: ref }), root.$defs, step, path);
};

/** Each step is held against its own type, so that it is told of that type alone. */
export const schemaProblems = (root: Schema, reading: Reading): EditorProblem[] => {
  const { definition } = reading;
  if (definition === null) return reading.mistakes.map(({ line, from, to, message }) => ({ path: "", line, from, to, message }));
  const { properties } = root;
  const { steps, ...rest } = definition;
  const own = check({ ...root, properties: { ...properties, steps: {} } }, root.$defs, { ...rest, ...(steps === undefined ? {} : { steps }) }, "");
  const inSteps = Array.isArray(steps)
    ? steps.length === 0 ? [{ path: "steps", message: "a job needs at least one step" }] : steps.flatMap((step, index) => stepProblems(root, step as Value, index))
    : steps === undefined ? [] : [{ path: "steps", message: "is a list of steps" }];
  return unique([...own, ...inSteps]).map(({ path, message }) => at(reading, path, message));
};

const unique = (found: { path: string; message: string }[]): { path: string; message: string }[] =>
  found.filter((one, index) => found.findIndex(({ path, message }) => path === one.path && message === one.message) === index);

const lineStart = (text: string, line: number): number => {
  let start = 0;
  for (let seen = 1; seen < line; seen += 1) {
    const next = text.indexOf("\n", start);
    if (next === -1) return text.length;
    start = next + 1;
  }
  return start;
};

/** What the server said of this very text. */
export const serverProblems = (reading: Reading, told: readonly JobProblem[]): EditorProblem[] =>
  told.map(({ path, line, column, message, suggestion }) => {
    const words = suggestion !== null && !message.includes(suggestion) ? `${message} ${suggestion}` : message;
    if (line === null) return at(reading, path === "body" ? "" : path, words);
    const start = lineStart(reading.text, line);
    const end = reading.text.indexOf("\n", start);
    const to = end === -1 ? reading.text.length : end;
    const from = Math.min(start + Math.max((column ?? 1) - 1, 0), to);
    const indent = column === null || column === 1 ? (/^\s*/.exec(reading.text.slice(from, to))?.[0].length ?? 0) : 0;
    return { path: path === "body" ? "" : path, line, from: Math.min(from + indent, to), to, message: words };
  });

/** The problems of a field: its own and those inside it. */
export const problemsAt = (problems: readonly EditorProblem[], path: string): string | null => {
  const own = problems.filter((problem) => problem.path === path || problem.path.startsWith(`${path}.`));
  return own.length === 0 ? null : own.map(({ message }) => message).join("\n");
};
