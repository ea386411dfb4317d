/** How the runs of a job went lately, in few characters. Pure. */
import type { Schemas } from "@/api/client";
import { duration } from "@/lib/time";

type Lately = Schemas["LatelyView"];

/** `92 %`; a dash before anything ended. Never 100 % when something failed, never 0 % when something succeeded. */
export const successOf = ({ success_rate, ended, succeeded }: Lately): string => {
  if (success_rate === null) return "–";
  const rounded = Math.round(success_rate * 100);
  const honest = succeeded < ended ? Math.min(rounded, 99) : rounded;
  return `${succeeded > 0 ? Math.max(honest, 1) : honest} %`;
};

export const seconds = (value: number | null): string => (value === null ? "–" : duration(value * 1_000));
