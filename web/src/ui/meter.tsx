import classes from "./meter.module.css";
import type { Tone } from "./status";

export interface MeterPart {
  tone: Tone;
  count: number;
  word: string;
}

/** Parts of a whole as a bar; `words` says beside it what the bar shows, so that nobody has to see colours. */
export const Meter = ({ parts, total, words }: { parts: readonly MeterPart[]; total: number; words: string }) => (
  <span className={classes.line} title={parts.map(({ count, word }) => `${count} ${word}`).join(", ")}>
    <span className={classes.bar} aria-hidden="true">
      {parts.map(({ tone, count, word }) =>
        count > 0 ? <span key={word} className={`${classes.part} tone-${tone}`} style={{ width: `${(100 * count) / Math.max(total, 1)}%` }} /> : null,
      )}
    </span>
    <span className={classes.words}>{words}</span>
  </span>
);
