/**
 * The lines around one of them, read from there on: for a link far into a log whose beginning is still being read.
 *
 * It grows towards both ends. The server counts the lines before it, so they have the numbers they have in the whole log.
 */
import type { Part } from "./feed";
import { type Chunk, type Line, LogLines, type OpenStream } from "./lines";

export interface Place {
  /** Read on after this; null is the beginning. */
  after: string | null;
  /** The number of the first line that begins there. */
  first_line: number;
  begun: readonly OpenStream[];
}

/** Where this line begins. */
export type FindPlace = (part: Part, line: number, signal: AbortSignal) => Promise<Place>;

/** At most so many chunks after a place. */
export type ReadSome = (part: Part, after: string | null, chunks: number, signal: AbortSignal) => Promise<readonly Chunk[]>;

export interface WindowState {
  /** Of the first line, from 1. */
  first: number;
  lines: readonly Line[];
  count: number;
}

const BEFORE = 150;
const LINES = 400;
/** Enough for a screen of lines, also where each came alone; a chunk may hold hundreds. */
const CHUNKS = 60;

export class LogWindow {
  private place: Place | null = null;
  private chunks: Chunk[] = [];
  private log = new LogLines();
  private ended = false;
  private busy = false;
  private current: WindowState | null = null;
  private readonly watchers = new Set<() => void>();
  private readonly stopped = new AbortController();

  constructor(
    private readonly part: Part,
    line: number,
    private readonly findPlace: FindPlace,
    private readonly readSome: ReadSome,
  ) {
    void this.alone(async () => {
      await this.begin(Math.max(1, line - BEFORE), null);
      await this.readTo(line + LINES - BEFORE);
    });
  }

  /** Null until there is something to show. */
  get state(): WindowState | null {
    return this.current;
  }

  watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  stop(): void {
    this.stopped.abort();
  }

  /** Somebody looks at one of its ends. */
  grow = (end: "before" | "after"): void => {
    const first = this.place?.first_line ?? 1;
    if (end === "after") void this.alone(() => this.readTo(first + this.log.count - 1 + LINES));
    else if (first > 1) void this.alone(() => this.begin(Math.max(1, first - LINES), this.chunks[0]?.id ?? null));
  };

  /** One thing at a time; who asks meanwhile asks again by scrolling on. */
  private async alone(work: () => Promise<void>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    try {
      await work();
      this.tell();
    } catch {
      // the same lines come with all that stands before them
    } finally {
      this.busy = false;
    }
  }

  /** Begin at this line, and read up to what is known already. */
  private async begin(line: number, known: string | null): Promise<void> {
    const place = await this.findPlace(this.part, line, this.stopped.signal);
    const before: Chunk[] = [];
    for (let joined = known === null; !joined; ) {
      const read = await this.some(before.at(-1)?.id ?? place.after);
      const at = read.findIndex(({ id }) => id === known);
      before.push(...(at < 0 ? read : read.slice(0, at)));
      joined = at >= 0 || read.length < CHUNKS;
    }
    this.place = place;
    this.chunks = [...before, ...this.chunks];
    this.log = new LogLines(place.begun);
    for (const chunk of this.chunks) this.log.add(chunk);
  }

  private async readTo(line: number): Promise<void> {
    this.ended = false;
    while (this.place && !this.ended && this.place.first_line + this.log.count - 1 < line) {
      const read = await this.some(this.chunks.at(-1)?.id ?? this.place.after);
      for (const chunk of read) this.log.add(chunk);
      this.chunks.push(...read);
      this.ended = read.length < CHUNKS;
    }
  }

  private some(after: string | null): Promise<readonly Chunk[]> {
    return this.readSome(this.part, after, CHUNKS, this.stopped.signal);
  }

  private tell(): void {
    if (this.stopped.signal.aborted || !this.place) return;
    const { lines, count } = this.log;
    this.current = { first: this.place.first_line, lines, count };
    for (const watcher of this.watchers) watcher();
  }
}
