/** Where the fields of a step stand on its form, and what they are called. A type without a layout of its own gets a sensible one. Pure. */
import type { Field, StepType } from "./schema";

export interface Group {
  title: string;
  fields: readonly Field[];
}

export interface Layout {
  /** Always in sight. */
  main: readonly Field[];
  /** Folded away unless something in them is set. */
  groups: readonly Group[];
}

const COMMON = ["needs", "timeoutSec", "idleTimeoutSec", "connectTimeoutSec", "retry", "on_failure", "max_parallel", "delivery", "pool", "always", "when"];
const SURROUNDINGS = ["cwd", "env", "stdin", "sudo", "pty"];
const VERDICT = ["success_codes", "fail_on"];
/** On the head of the step itself. */
const HEAD = ["name"];

const ARRANGED: Readonly<Record<string, readonly string[]>> = {
  "winrm.exec": ["target", "shell", "command"],
  "ssh.exec": ["target", "shell", "command", "sudo"],
};

const LABELS: Readonly<Record<string, string>> = {
  credential: "Credential", target: "Targets", shell: "Shell", command: "Script", needs: "After these steps", timeoutSec: "Time limit (s)", idleTimeoutSec: "Limit without output (s)",
  connectTimeoutSec: "Limit to connect (s)", retry: "Retry", attempts: "Attempts", backoff: "Pause between (s)", on_failure: "After a failure", max_parallel: "Targets at a time",
  delivery: "If its executor is lost", cwd: "Folder", env: "Environment", stdin: "Input (stdin)", sudo: "As another user (sudo)", user: "User", pty: "With a terminal",
  success_codes: "Exit codes of success", fail_on: "Counts as failed", exit_code: "Any other exit code", error_stream: "Anything on the error stream", pattern: "Output that matches",
  src: "From", dest: "To", content_base64: "Content (base64)", direction: "Direction", directory: "A whole folder", mode: "Mode", seconds: "Seconds", url: "URL",
  query: "Query", intervalSec: "Ask every (s)", tls: "TLS", ca_bundle: "CA bundle", json: "JSON", max_response_bytes: "Largest answer (bytes)",
};

const HINTS: Readonly<Record<string, string>> = {
  target: "Empty: the targets of the job, or those chosen at the start.",
  delivery: "Never twice: may end as unknown.",
  needs: "Empty: after the step before it.",
};

const WORDS: Readonly<Record<string, string>> = {
  stop: "stop the run", continue: "go on", at_most_once: "never run twice", at_least_once: "try again",
};

export const labelOf = (name: string): string => {
  const known = LABELS[name];
  if (known !== undefined) return known;
  const words = name.replace(/Sec$/, " (s)").replaceAll(/[_.]/g, " ").replaceAll(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
};

export const hintOf = (field: Field): string | null => field.description ?? HINTS[field.name] ?? null;

/** A choice as people read it. */
export const choiceLabel = (value: string): string => WORDS[value] ?? value;

const pick = (fields: readonly Field[], names: readonly string[]): Field[] =>
  names.flatMap((name) => fields.find((field) => field.name === name) ?? []);

export const layoutOf = ({ type, fields }: StepType): Layout => {
  const arranged = ARRANGED[type];
  const rest = fields.filter(({ name }) => !HEAD.includes(name));
  const own = rest.filter(({ name }) => ![...COMMON, ...SURROUNDINGS, ...VERDICT, "target"].includes(name));
  const main = arranged ? pick(rest, arranged) : [...pick(rest, ["target"]), ...own.filter(({ required }) => required), ...own.filter(({ required }) => !required)];
  const left = rest.filter((field) => !main.includes(field));
  const others = left.filter(({ name }) => ![...COMMON, ...SURROUNDINGS, ...VERDICT].includes(name));
  return {
    main,
    groups: [
      { title: "Surroundings", fields: [...pick(left, SURROUNDINGS), ...others] },
      { title: "What counts as failed", fields: pick(left, VERDICT) },
      { title: "When and how", fields: pick(left, COMMON) },
    ].filter(({ fields: inside }) => inside.length > 0),
  };
};
