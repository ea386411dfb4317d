/** What an event stream tells, and whom it concerns. Pure. */

export interface LiveEvent {
  /** Where the stream stands after it, for those who want to read on from here; null for what has no place. */
  id: string | null;
  event: string;
  data: Readonly<Record<string, unknown>>;
}

/** Of two places the earlier; null is the beginning. */
export const earlier = (one: string | null, other: string | null): string | null => {
  if (one === null || other === null) return null;
  const [a, b] = [one, other].map((id) => id.split(".").map(Number)) as [number[], number[]];
  const at = a.findIndex((part, index) => part !== b[index]);
  return at < 0 || (a[at] ?? 0) < (b[at] ?? 0) ? one : other;
};

/** Which listeners an event is for: `run:<id>`, its kind, and `runs` for what becomes of any run. */
const topicsOf = ({ event, data }: LiveEvent): string[] => {
  const topics = [event];
  if (typeof data.run_id === "string") topics.push(`run:${data.run_id}`);
  if (typeof data.target_id === "string") topics.push(`target:${data.target_id}`);
  if (event === "run") topics.push("runs");
  return topics;
};

export const isRun = (topic: string): boolean => topic.startsWith("run:");

/** Events by the topics they are for, in order. */
export const byTopic = (events: readonly LiveEvent[]): Map<string, LiveEvent[]> => {
  const sorted = new Map<string, LiveEvent[]>();
  for (const event of events)
    for (const topic of topicsOf(event)) {
      const list = sorted.get(topic);
      if (list) list.push(event);
      else sorted.set(topic, [event]);
    }
  return sorted;
};
