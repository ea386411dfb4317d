import { memo, type MouseEvent } from "react";

import { type Piece, piecesOf, withMatches } from "./ansi";
import type { Line } from "./lines";
import classes from "./log.module.css";
import type { Ink } from "./sgr";

export interface Shown {
  times: boolean;
  names: boolean;
}

const STYLES = ["bold", "italic", "underline", "strike"] as const;

const classOf = (piece: Piece): string =>
  STYLES.filter((style) => piece[style]).map((style) => classes[style] ?? "").join(" ");

const two = (value: number, digits = 2): string => String(value).padStart(digits, "0");

/** `15:00:07.093`, where the browser is. */
const clockOf = (iso: string): string => {
  const at = new Date(iso);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${two(at.getMilliseconds(), 3)}`;
};

export const placeOf = ({ source }: Line): string =>
  `${source.target === null ? "" : `${source.target} · `}${source.step}${source.attempt > 1 ? ` #${source.attempt}` : ""}`;

/** The text of a line in its colours, with what was found in it. */
const LineText = ({ text, ink, pattern, current }: { text: string; ink: Ink | undefined; pattern: RegExp | null; current: number | null }) => {
  const pieces = piecesOf(text, ink);
  const shown = pattern ? withMatches(pieces, pattern) : pieces.map((piece) => ({ ...piece, hit: null }));
  return (
    <>
      {shown.map((piece, index) => {
        const className = classOf(piece);
        if (piece.hit !== null) return <mark key={index} className={className} {...(piece.hit === current ? { "data-current": true } : {})}>{piece.text}</mark>;
        if (piece.fg === null && piece.bg === null && className === "") return piece.text;
        return <span key={index} className={className} style={{ color: piece.fg ?? undefined, backgroundColor: piece.bg ?? undefined }}>{piece.text}</span>;
      })}
    </>
  );
};

interface Props {
  line: Line;
  /** Also what it is at now: an open line grows. */
  text: string;
  /** Null where nobody knows it yet. */
  number: number | null;
  shown: Shown;
  chosen: boolean;
  pattern: RegExp | null;
  /** Which of its matches find stands at. */
  current: number | null;
  onChoose: (event: MouseEvent, number: number) => void;
}

/** Everything but the text itself is made of attributes, so that nobody copies it along. */
export const LogLine = memo(({ line, text, number, shown, chosen, pattern, current, onChoose }: Props) => (
  <>
    {number === null ? <span className={classes.number} data-n="…" /> : (
      <a className={classes.number} href={`#L${number}`} tabIndex={-1} data-n={number} aria-label={`Line ${number}`} onClick={(event) => onChoose(event, number)} />
    )}
    {shown.times && <span className={classes.time} data-time={clockOf(line.time)} title={line.time} />}
    {shown.names && <span className={classes.from} data-from={placeOf(line)} title={`${placeOf(line)} · attempt ${line.source.attempt} · ${line.source.stream}`} />}
    <span className={classes.text} data-text="" {...(chosen ? { "aria-current": true } : {})}>
      <LineText text={text} ink={line.ink} pattern={pattern} current={current} />
    </span>
  </>
));
LogLine.displayName = "LogLine";
