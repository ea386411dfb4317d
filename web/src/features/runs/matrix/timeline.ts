/** When things happened, as parts of a bar. Pure; times in milliseconds since 1970. */
import type { Row } from "./model";

export interface Span {
  start: number;
  end: number;
}

const MINUTE = 60_000;
const NICE_MS = [
  100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE,
  30 * MINUTE, 60 * MINUTE, 120 * MINUTE, 360 * MINUTE, 720 * MINUTE, 1_440 * MINUTE, 10_080 * MINUTE,
];
const TICKS = 4;

/** From the first start to the last end; `open` while anything runs. */
export interface Extent extends Span {
  open: boolean;
}

/** Null before anything began. */
export const extentOf = (rows: readonly Row[]): Extent | null => {
  let start = Infinity;
  let end = -Infinity;
  let open = false;
  for (const { cells } of rows)
    for (const cell of cells) {
      if (!cell?.started_at) continue;
      start = Math.min(start, Date.parse(cell.started_at));
      if (cell.ended_at) end = Math.max(end, Date.parse(cell.ended_at));
      else open = true;
    }
  return start === Infinity ? null : { start, end, open };
};

/** What the timeline shows at `now`. */
export const spanAt = ({ start, end, open }: Extent, now: number): Span => ({ start, end: Math.max(open ? now : end, end, start + 1) });

export interface Bar {
  step: number;
  /** Per cent of the span, 0 to 100. */
  left: number;
  width: number;
}

export const barsOf = (row: Row, span: Span, now: number): Bar[] => {
  const whole = span.end - span.start;
  const part = (at: number): number => Math.min(100, Math.max(0, (100 * (at - span.start)) / whole));
  return row.cells.flatMap((cell) => {
    if (!cell?.started_at) return [];
    const left = part(Date.parse(cell.started_at));
    return [{ step: cell.step, left, width: Math.max(0, part(cell.ended_at ? Date.parse(cell.ended_at) : now) - left) }];
  });
};

export interface Tick {
  left: number;
  ms: number;
}

/** Round times after the start, at most five of them. */
export const ticksOf = ({ start, end }: Span): Tick[] => {
  const whole = end - start;
  const every = NICE_MS.find((ms) => whole / ms <= TICKS + 0.5) ?? whole / TICKS;
  return Array.from({ length: Math.floor(whole / every) + 1 }, (_, index) => ({ ms: index * every, left: (100 * index * every) / whole }));
};
