/** Moments and durations as people read them. Everything takes `now` in milliseconds; nothing reads the clock. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export type Zone = "local" | "utc";

const two = (value: number): string => String(value).padStart(2, "0");

/** `2026-11-22 15:00:07`, in the browser's zone or in UTC. */
export const absolute = (iso: string, zone: Zone = "local"): string => {
  const at = new Date(iso);
  return zone === "utc"
    ? at.toISOString().slice(0, 19).replace("T", " ")
    : `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
};

/** Both zones in one line, for tooltips. */
export const everyZone = (iso: string): string => {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return `${absolute(iso)} ${zone}\n${absolute(iso, "utc")} UTC`;
};

/** `just now`, `12 s ago`, `5 min ago`, `3 h ago`, `4 d ago`, or `in 5 min`. */
export const relative = (iso: string, now: number): string => {
  const gap = now - Date.parse(iso);
  const size = Math.abs(gap);
  if (size < 5 * SECOND) return "just now";
  const [count, unit] =
    size < MINUTE
      ? [size / SECOND, "s"]
      : size < HOUR
        ? [size / MINUTE, "min"]
        : size < DAY
          ? [size / HOUR, "h"]
          : [size / DAY, "d"];
  const words = `${Math.floor(count)} ${unit}`;
  return gap < 0 ? `in ${words}` : `${words} ago`;
};

/** `0.8 s`, `43 s`, `7 min 41 s`, `2 h 05 min`, `3 d 4 h`. */
export const duration = (milliseconds: number): string => {
  const ms = Math.max(0, milliseconds);
  if (ms < 10 * SECOND) return `${(ms / SECOND).toFixed(1)} s`;
  const seconds = Math.floor(ms / SECOND);
  if (ms < MINUTE) return `${seconds} s`;
  if (ms < HOUR) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h ${two(Math.floor((ms % HOUR) / MINUTE))} min`;
  return `${Math.floor(ms / DAY)} d ${Math.floor((ms % DAY) / HOUR)} h`;
};

/** How long something took, or has been going on; null before it began. */
export const elapsed = (start: string | null, end: string | null, now: number): number | null =>
  start === null ? null : (end === null ? now : Date.parse(end)) - Date.parse(start);
