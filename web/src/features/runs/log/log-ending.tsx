import { useEffect, useRef } from "react";

import type { Line } from "./lines";
import classes from "./log.module.css";
import { LogLine, type Shown } from "./log-line";

const SHOWN = 200;
const nowhere = (): void => undefined;

interface Props {
  lines: readonly Line[];
  /** So many of those before are here. */
  count: number;
  shown: Shown;
  wrap: boolean;
}

/** What a run prints now, while what it printed before is still being read: its lines have no numbers yet. */
export const Ending = ({ lines, count, shown, wrap }: Props) => {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    box.current?.scrollTo({ top: box.current.scrollHeight });
  });
  return (
    <>
      <div className={classes.note} role="status">This is the end. What stands before it is being read: {count.toLocaleString("en")} lines so far…</div>
      <div ref={box} className={`${classes.box} ${wrap ? classes.wrap : ""}`} role="region" aria-label="The last lines" tabIndex={0}>
        {lines.slice(-SHOWN).map((line, index) => (
          <div key={index} className={`${classes.line} ${classes.flowing}`} {...(line.source.stream === "stderr" ? { "data-stderr": true } : {})}>
            <LogLine line={line} text={line.text} number={null} shown={shown} chosen={false} pattern={null} current={null} onChoose={nowhere} />
          </div>
        ))}
      </div>
    </>
  );
};
