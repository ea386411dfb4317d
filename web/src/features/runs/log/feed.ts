/**
 * The output of a run, or of a part of it, as of now: everything that is stored, then what the event stream tells.
 *
 * Nothing is lost or doubled at the seam: chunks of an attempt are numbered without gaps, so what was told twice is
 * known, and where a number is missing everything since the last one that was read is asked for again.
 */
import type { LiveEvent } from "@/api/live-events";
import { messageOf } from "@/lib/problem";

import { type Chunk, type Line, LogLines } from "./lines";

export interface Part {
  target?: string | undefined;
  step?: string | undefined;
}

type OnChunks = (chunks: readonly Chunk[]) => void;

/** Hands on the stored chunks after a place, in order, in portions. */
export type ReadLog = (part: Part, after: string | null, onChunks: OnChunks, signal: AbortSignal) => Promise<void>;

/** Hands on the last stored chunks. */
export type ReadEnding = (part: Part, onChunks: OnChunks, signal: AbortSignal) => Promise<void>;

export interface FeedState {
  /** Grows in place; `count` says how far. */
  lines: readonly Line[];
  count: number;
  /** Lines before it do not change any more. */
  firm: number;
  /** Changes with every change. */
  version: number;
  loading: boolean;
  /** The last lines, for those who wait for them while what stands before is still read. */
  ending: readonly Line[] | null;
  askEnding: () => void;
  /** Why the rest could not be read; it is tried again. */
  error: string | null;
}

const RETRY_MS = 3_000;
/** How often what is read is shown: the longer the log, the more it costs. */
const SHOW_MS = 50;
const LINES_PER_MS = 400;

const isChunk = (data: Readonly<Record<string, unknown>>): boolean =>
  typeof data.task_id === "string" && typeof data.seq === "number" && typeof data.data === "string";

export class LogFeed {
  private log = new LogLines();
  private end: LogLines | null = null;
  private endAsked = false;
  private cursor: string | null = null;
  private current: FeedState;
  private readonly watchers = new Set<() => void>();
  private readonly stopped = new AbortController();
  private reading = false;
  private again = false;
  private buffered: Chunk[] = [];
  private retry: ReturnType<typeof setTimeout> | undefined;
  private telling = false;
  private version = 0;

  constructor(
    private readonly part: Part,
    private readonly read: ReadLog,
    private readonly readEnding: ReadEnding = () => Promise.resolve(),
  ) {
    this.current = this.picture(true, null);
    this.catchUp();
  }

  get state(): FeedState {
    return this.current;
  }

  watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  stop(): void {
    this.stopped.abort();
    clearTimeout(this.retry);
  }

  /** Read what is stored after what is known. */
  catchUp(): void {
    clearTimeout(this.retry);
    if (this.reading) this.again = true;
    else void this.readOn();
  }

  /** Show the end before all of the log is here. */
  askEnding = (): void => {
    if (this.endAsked || !this.current.loading) return;
    this.endAsked = true;
    const end = new LogLines();
    const store = (chunks: readonly Chunk[]): void => {
      for (const chunk of chunks) end.add(chunk);
    };
    const show = (): void => {
      if (!this.current.loading) return;
      store(this.buffered);
      this.end = end;
      this.tell(true, this.current.error);
    };
    // Without it the end comes with all the rest.
    this.readEnding(this.part, store, this.stopped.signal).then(show, () => undefined);
  };

  /** What the event stream told of this run. */
  onEvents(events: readonly LiveEvent[]): void {
    const chunks = events.flatMap(({ id, event, data }) =>
      event === "output" && isChunk(data) && this.wants(data) ? [{ ...(data as unknown as Chunk), id }] : [],
    );
    if (chunks.length === 0) return;
    if (!this.reading) this.take(chunks);
    else {
      this.buffered.push(...chunks);
      for (const chunk of chunks) this.end?.add(chunk);
    }
  }

  /** The server counts anew: begin from the beginning. */
  onLost(): void {
    this.log = new LogLines();
    this.cursor = null;
    this.buffered = [];
    this.catchUp();
  }

  private wants(data: Readonly<Record<string, unknown>>): boolean {
    const { target, step } = this.part;
    return (target === undefined || data.target === target) && (step === undefined || data.step === step);
  }

  private async readOn(): Promise<void> {
    this.reading = true;
    this.again = false;
    const log = this.log;
    try {
      await this.read(this.part, this.cursor, (chunks) => this.store(log, chunks), this.stopped.signal);
    } catch (error) {
      this.reading = false;
      if (this.isStopped()) return;
      this.tell(this.current.loading, messageOf(error));
      this.retry = setTimeout(() => this.catchUp(), RETRY_MS);
      return;
    }
    if (this.isAskedAgain()) return this.readOn();
    this.reading = false;
    const { buffered } = this;
    this.buffered = [];
    for (const chunk of buffered) this.put(chunk);
    this.end = null;
    this.tell(false, null);
  }

  /** What is read from the store is the truth: gaps in it are gaps. */
  private store(log: LogLines, chunks: readonly Chunk[]): void {
    if (log !== this.log) return;
    for (const chunk of chunks) {
      log.add(chunk);
      this.cursor = chunk.id;
    }
    if (this.current.count > 0) this.tellSoon();
    else this.tell(this.current.loading, null);
  }

  private take(chunks: readonly Chunk[]): void {
    for (const [index, chunk] of chunks.entries()) {
      const expected = this.log.expected(chunk);
      if (expected !== undefined && chunk.seq > expected) {
        this.buffered.push(...chunks.slice(index));
        this.catchUp();
        break;
      }
      this.put(chunk);
    }
    this.tell(false, null);
  }

  /** A stream's place is never past what it has told. */
  private put(chunk: Chunk): void {
    if (this.log.add(chunk) && chunk.id !== null) this.cursor = chunk.id;
  }

  private isAskedAgain(): boolean {
    return this.again;
  }

  private isStopped(): boolean {
    return this.stopped.signal.aborted;
  }

  private tellSoon(): void {
    if (this.telling) return;
    this.telling = true;
    setTimeout(() => {
      this.telling = false;
      if (this.reading) this.tell(this.current.loading, null);
    }, SHOW_MS + this.log.count / LINES_PER_MS);
  }

  private tell(loading: boolean, error: string | null): void {
    if (this.isStopped()) return;
    this.current = this.picture(loading, error);
    for (const watcher of this.watchers) watcher();
  }

  private picture(loading: boolean, error: string | null): FeedState {
    const { lines, count, firm } = this.log;
    const { askEnding } = this;
    return { lines, count, firm, version: (this.version += 1), loading, ending: this.end?.lines ?? null, askEnding, error };
  }
}
