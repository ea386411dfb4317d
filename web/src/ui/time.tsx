/** Moments and durations that go on by themselves: one clock for the whole page. */
import { useSyncExternalStore } from "react";

import { absolute, duration, elapsed, everyZone, relative } from "@/lib/time";

const TICK_MS = 1_000;

const watchers = new Set<() => void>();
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;

const watch = (watcher: () => void): (() => void) => {
  watchers.add(watcher);
  now = Date.now();
  timer ??= setInterval(() => {
    now = Date.now();
    for (const each of watchers) each();
  }, TICK_MS);
  return () => {
    watchers.delete(watcher);
    if (watchers.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
};

/** Milliseconds since 1970, a new value each second while anybody looks. */
export const useNow = (): number => useSyncExternalStore(watch, () => now);

/** `2026-11-22 15:00:07 · 5 min ago`; both zones in the tooltip. */
export const Moment = ({ at }: { at: string | null }) => {
  const current = useNow();
  if (at === null) return <span className="quiet">–</span>;
  return (
    <time dateTime={at} title={everyZone(at)} className="nowrap">
      {absolute(at)} <span className="quiet">{relative(at, current)}</span>
    </time>
  );
};

/** Only `5 min ago`. */
export const Ago = ({ at }: { at: string | null }) => {
  const current = useNow();
  if (at === null) return <span className="quiet">never</span>;
  return (
    <time dateTime={at} title={everyZone(at)} className="nowrap">
      {relative(at, current)}
    </time>
  );
};

const Running = ({ start }: { start: string }) => <>{duration(elapsed(start, null, useNow()) ?? 0)}</>;

/** How long it took, or has been going on. */
export const Duration = ({ start, end }: { start: string | null; end: string | null }) => {
  if (start === null) return <span className="quiet">–</span>;
  return <span className="nowrap">{end === null ? <Running start={start} /> : duration(elapsed(start, end, 0) ?? 0)}</span>;
};

/** How long something is still good for: `18 s left`, or since when it is over. */
export const Until = ({ at }: { at: string }) => {
  const current = useNow();
  const left = Date.parse(at) - current;
  return (
    <time dateTime={at} title={everyZone(at)} className="nowrap">
      {left > 0 ? `${Math.ceil(left / 1_000)} s left` : `over ${relative(at, current)}`}
    </time>
  );
};
