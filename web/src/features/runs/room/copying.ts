/** What one takes along from a run: lines for a shell, and its numbers. Pure. */
import type { RunDetail } from "@/features/runs/api";

export interface Part {
  t?: string | undefined;
  s?: string | undefined;
}

export interface Copied {
  label: string;
  /** What the toast calls it. */
  what: string;
  text: string;
}

const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`);

const logLine = (id: string, { t, s }: Part): string =>
  ["opsconductor runs log", id, ...(t === undefined ? [] : ["-t", quoted(t)]), ...(s === undefined ? [] : ["-s", quoted(s)])].join(" ");

/** Repeating takes the parameters from the run itself, so none of them, and no secret, gets into a history. */
const rerunCall = (origin: string, id: string): string =>
  [
    `curl -X POST ${quoted(`${origin}/api/v1/runs/${id}/rerun`)}`,
    `-H "authorization: Bearer $OPS_TOKEN"`,
    "-H 'content-type: application/json'",
    `-H "idempotency-key: $(uuidgen)"`,
    "-d '{}'",
  ].join(" \\\n  ");

/** In the order of the menu, in groups. */
export const copiesOf = (run: Pick<RunDetail, "id" | "correlation_id">, part: Part, address: string): readonly (readonly Copied[])[] => [
  [
    { label: "Link to what is shown", what: "The link", text: address },
    { label: "Run id", what: "The run's id", text: run.id },
    { label: "Correlation id", what: "The correlation id", text: run.correlation_id },
  ],
  [
    { label: part.t === undefined && part.s === undefined ? "Command line: show the log" : "Command line: show this log", what: "The command", text: logLine(run.id, part) },
    { label: "Command line: run it again", what: "The command", text: `opsconductor runs rerun ${run.id} --follow` },
    { label: "curl: run it again", what: "The call", text: rerunCall(new URL(address).origin, run.id) },
  ],
];
