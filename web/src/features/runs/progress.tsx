import type { Schemas } from "@/api/client";

import classes from "./progress.module.css";

/** Tasks ended of all, as a bar and as a number. */
export const RunProgress = ({ progress }: { progress: Schemas["ProgressView"] }) => {
  const { total, succeeded } = progress;
  if (total === 0) return <span className="quiet">not planned</span>;
  const failed = progress.failed + progress.timed_out;
  const other = progress.cancelled + progress.skipped + progress.unknown;
  const ended = succeeded + failed + other;
  const words = `${ended} of ${total} tasks ended: ${succeeded} succeeded, ${failed} failed, ${other} otherwise; ${progress.running} running`;
  const part = (count: number) => ({ width: `${(100 * count) / total}%` });
  return (
    <span className={classes.line} title={words}>
      <span className={classes.bar} aria-hidden="true">
        <span className={classes.ok} style={part(succeeded)} />
        <span className={classes.bad} style={part(failed)} />
        <span className={classes.other} style={part(other)} />
        <span className={classes.busy} style={part(progress.running)} />
      </span>
      <span className={classes.count}>{ended}/{total}</span>
    </span>
  );
};

/** `3 of 8 tasks`, in a few characters. */
export const endedOf = ({ total, pending, ready, running }: Schemas["ProgressView"]): string =>
  total === 0 ? "not planned" : `${total - pending - ready - running} of ${total} tasks`;
