/**
 * From chunks of output to numbered lines. Pure.
 *
 * Chunks come in the order the server stored them and may end in the middle of a line; each stream of each attempt
 * goes on where it stopped, also when others printed in between. The same chunks always give the same numbers.
 */

import { type Ink, inkAfter, ORDINARY } from "./sgr";

export type StreamName = "stdout" | "stderr";

export interface Chunk {
  /** Its place among everything of the run; null where a stream does not tell. */
  id: string | null;
  task_id: string;
  step: string;
  target: string | null;
  attempt: number;
  stream: StreamName;
  /** Counts the chunks of an attempt without gaps. */
  seq: number;
  /** ISO, UTC. */
  time: string;
  data: string;
}

/** Where a line comes from; one object for all lines of a stream of an attempt. */
export interface Source {
  key: string;
  step: string;
  target: string | null;
  attempt: number;
  stream: StreamName;
}

export interface Line {
  /** As it was printed: colours, carriage returns and all, without its line break. */
  text: string;
  source: Source;
  /** When its first character was printed. */
  time: string;
  /** The colours its stream had switched on before it, unless they were the ordinary ones. */
  ink?: Ink;
  /** What `read` made of `text`, kept while the text is that. */
  known?: { text: string; plain: string };
}

/** A stream of an attempt that is in the middle of a line. */
export type OpenStream = Pick<Chunk, "task_id" | "attempt" | "stream">;

export class LogLines {
  readonly lines: Line[] = [];
  /** Streams whose first line began before all of this: it is not among them. */
  private readonly begun: Set<string>;
  private readonly sources = new Map<string, Source>();
  private readonly inks = new Map<string, Ink>();
  private readonly open = new Map<string, Line>();
  private readonly last = new Map<string, number>();
  private firstOpen = new Map<string, number>();

  constructor(begun: readonly OpenStream[] = []) {
    this.begun = new Set(begun.map(({ task_id, attempt, stream }) => `${task_id} ${attempt} ${stream}`));
  }

  get count(): number {
    return this.lines.length;
  }

  /** Lines before this index do not change any more. */
  get firm(): number {
    let least = this.lines.length;
    for (const index of this.firstOpen.values()) if (index < least) least = index;
    return least;
  }

  /** What the next chunk of this attempt has to be numbered; undefined before the first. */
  expected(chunk: Pick<Chunk, "task_id" | "attempt">): number | undefined {
    const last = this.last.get(`${chunk.task_id} ${chunk.attempt}`);
    return last === undefined ? undefined : last + 1;
  }

  /** Whether it was new: a chunk that is told twice counts once. */
  add(chunk: Chunk): boolean {
    const attempt = `${chunk.task_id} ${chunk.attempt}`;
    const last = this.last.get(attempt);
    if (last !== undefined && chunk.seq <= last) return false;
    this.last.set(attempt, chunk.seq);
    const source = this.sourceOf(chunk, attempt);
    const parts = this.own(source, chunk.data.split("\n"));
    const end = parts.length - 1;
    parts.forEach((part, index) => {
      const closed = index < end;
      if (!closed && part === "") return;
      this.put(source, part, chunk.time, closed);
    });
    return true;
  }

  /** Without the rest of a line that began before all of this. */
  private own({ key }: Source, parts: string[]): string[] {
    if (!this.begun.has(key)) return parts;
    if (parts.length > 1) this.begun.delete(key);
    return parts.slice(1);
  }

  private sourceOf(chunk: Chunk, attempt: string): Source {
    const key = `${attempt} ${chunk.stream}`;
    let source = this.sources.get(key);
    if (!source) {
      const { step, target, stream } = chunk;
      source = { key, step, target, attempt: chunk.attempt, stream };
      this.sources.set(key, source);
    }
    return source;
  }

  private put(source: Source, part: string, time: string, closed: boolean): void {
    const open = this.open.get(source.key);
    const line = open ?? this.begin(source, time);
    line.text += part;
    if (closed) this.close(line);
    else if (!open) {
      this.open.set(source.key, line);
      this.firstOpen.set(source.key, this.lines.length - 1);
    }
  }

  private begin(source: Source, time: string): Line {
    const ink = this.inks.get(source.key);
    const line: Line = { text: "", source, time, ...(ink ? { ink } : {}) };
    this.lines.push(line);
    return line;
  }

  /** A line leaves its colours to the next of its stream. */
  private close({ source: { key }, text, ink }: Line): void {
    this.open.delete(key);
    this.firstOpen.delete(key);
    if (!text.includes("\x1b[")) return;
    const after = inkAfter(ink ?? ORDINARY, text);
    if (after === ORDINARY) this.inks.delete(key);
    else this.inks.set(key, after);
  }
}

const BIDI = /[\u202a-\u202e\u2066-\u2069]/g;

/** What a terminal would show of a line that was printed over: what stands after its last carriage return. */
export const settled = (text: string): string => settledParts(text).shown;

/** The same, with what was printed over. */
export const settledParts = (text: string): { before: string; shown: string } => {
  if (!text.includes("\r")) return { before: "", shown: text };
  const whole = text.replace(/\r+$/, "");
  const cut = whole.lastIndexOf("\r") + 1;
  return { before: whole.slice(0, cut), shown: whole.slice(cut) };
};

// ECMA-48 control sequences other than colours (CSI … m)
const OTHER = /\x1b(?:\[[0-?]*[ -/]*[@-ln-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|[ -/]+[0-~]|[0-OQ-WYZ\\`-~]|$)/g;
// CSI … m
const COLOURS = /\x1b\[[0-9;:]*m/g;
// what has no shape is given one; tab and escape are kept
const INVISIBLE = /[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f]/g;

const picture = (character: string): string =>
  String.fromCharCode(character === "\x7f" ? 0x2421 : 0x2400 + character.charCodeAt(0));

/** A line with nothing in it that moves, hides or turns around text; colours are still in it. */
export const harmless = (text: string): string => {
  const shown = settled(text);
  return shown
    .replace(OTHER, "")
    .replace(INVISIBLE, picture)
    .replace(BIDI, (mark) => `⟨U+${mark.charCodeAt(0).toString(16).toUpperCase()}⟩`);
};

// the quick question whether any of the above is needed
const SPECIAL = /[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]/;

/** What a person reads of a line: what find looks through. */
export const plain = (text: string): string =>
  SPECIAL.test(text) ? harmless(text).replace(COLOURS, "").replaceAll("\x1b", "␛") : text;

/** `plain` of a line, worked out once. */
export const read = (line: Line): string => {
  if (!SPECIAL.test(line.text)) return line.text;
  if (line.known?.text !== line.text) line.known = { text: line.text, plain: plain(line.text) };
  return line.known.plain;
};

/** Whether the executor put this line there to say that output is missing. */
export const isGapMarker = (text: string): boolean =>
  /^\[(?:\d+ bytes left out here|output missing here: .*)\]$/.test(text);
