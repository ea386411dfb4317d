import { useEffect, useState, useSyncExternalStore } from "react";

import type { FeedState, Part } from "./feed";
import type { Range } from "./hash";
import type { Line } from "./lines";
import { findingPlace, readingSome } from "./reading";
import { LogWindow } from "./window";

/** Most logs are read before anybody has to wait for a line of them. */
const PATIENCE_MS = 400;

/** The lines there are to show: all that were read, or those around the line that a link leads to. */
export interface View {
  lines: readonly Line[];
  count: number;
  /** How many lines stand before the first of them. */
  offset: number;
}

export interface Looking {
  view: View;
  /** Lines far on are shown while what stands before them is still read. */
  ahead: boolean;
  grow: (end: "before" | "after") => void;
  /** Back to what was read from the beginning. */
  leave: () => void;
}

const nothing = (): void => undefined;
const noWatch = () => nothing;

/** What of the log is shown: where a link leads to a line that is long in coming, the lines around it. */
export const useLogWindow = (runId: string, { target, step }: Part, range: Range | null, state: FeedState): Looking => {
  const [open, setOpen] = useState<LogWindow | null>(null);
  const line = range?.from;
  const awaited = line !== undefined && state.loading && state.count < line;
  useEffect(() => {
    if (!awaited) return;
    const open = (): void => setOpen(new LogWindow({ target, step }, line, findingPlace(runId), readingSome(runId)));
    const timer = setTimeout(open, PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [awaited, line, runId, target, step]);
  useEffect(() => () => open?.stop(), [open]);

  const around = useSyncExternalStore(open ? open.watch : noWatch, () => open?.state ?? null);
  const reached = around !== null && (!state.loading || state.count >= around.first + around.count - 1);
  useEffect(() => {
    if (reached) setOpen(null);
  }, [reached]);
  const leave = (): void => setOpen(null);
  const { lines, count } = state;
  if (around === null || around.count === 0 || reached) return { view: { lines, count, offset: 0 }, ahead: false, grow: nothing, leave };
  return { view: { lines: around.lines, count: around.count, offset: around.first - 1 }, ahead: true, grow: open?.grow ?? nothing, leave };
};
