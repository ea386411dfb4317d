import { memo } from "react";

import { TASK_STATE } from "@/ui/status";

import classes from "./matrix.module.css";
import { type Cell, countsAs, type MatrixStep, type Row } from "./model";
import { barsOf, type Span } from "./timeline";
import { cellWords } from "./words";

export interface Chosen {
  t?: string | undefined;
  s?: string | undefined;
}

interface Props {
  row: Row;
  index: number;
  steps: readonly MatrixStep[];
  template: string;
  start: number;
  span: Span | null;
  now: number;
  chosen: Chosen;
  /** The column keys act on, -1 the name; null elsewhere. */
  active: number | null;
  onChoose: (chosen: Chosen) => void;
}

const glyphOf = (cell: Cell): string => {
  if (cell.waiting_for) return "⏸";
  return cell.attempt > 1 && cell.state === "running" ? "↻" : TASK_STATE[countsAs(cell)].glyph;
};

export const cellId = (row: Row, column: number): string => `cell-${row.key}-${column}`;

/** One target: its name, a cell per step, and when they ran. */
export const MatrixRow = memo(({ row, index, steps, template, start, span, now, chosen, active, onChoose }: Props) => {
  const target = row.target ?? undefined;
  const isChosen = chosen.t !== undefined && chosen.t === row.target;
  const activeClass = (column: number): string => (active === column ? (classes.active ?? "") : "");
  return (
    <div className={classes.row} role="row" aria-rowindex={index + 2} style={{ gridTemplateColumns: template, transform: `translateY(${start}px)` }} {...(isChosen ? { "data-chosen": true } : {})}>
      <span id={cellId(row, -1)} role="rowheader" className={`${classes.name} ${activeClass(-1)}`} title={row.target ?? "Steps without a target"}
        onClick={() => onChoose(isChosen && chosen.s === undefined ? {} : { t: target })}>
        {row.target ?? "(no target)"}
      </span>
      {row.cells.map((cell, column) => {
        const step = steps[column];
        if (!cell) return <span key={column} id={cellId(row, column)} role="gridcell" className={`${classes.none} ${activeClass(column)}`} aria-label={`${step?.name ?? "?"}: not on this target`} />;
        const words = cellWords(row, step, cell, now);
        const here = isChosen && chosen.s === step?.name;
        return (
          <span key={column} id={cellId(row, column)} role="gridcell" title={words} aria-label={words} aria-selected={here}
            className={`${classes.cell} tone-${TASK_STATE[countsAs(cell)].tone} ${cell.state === "running" ? (classes.busy ?? "") : ""} ${activeClass(column)}`}
            data-state={cell.state} {...(here ? { "data-chosen": true } : {})} {...(cell.attempt > 1 ? { "data-again": true } : {})}
            onClick={() => onChoose(here ? {} : { t: target, s: step?.name })}>
            {glyphOf(cell)}
          </span>
        );
      })}
      <span role="gridcell" className={classes.line} aria-label="When the steps ran">
        {span && barsOf(row, span, now).map(({ step, left, width }) => {
          const cell = row.cells[step];
          if (!cell) return null;
          return (
            <span key={step} className={`${classes.bar} tone-${TASK_STATE[countsAs(cell)].tone}`} title={cellWords(row, steps[step], cell, now)}
              style={{ left: `${left}%`, width: `${width}%` }} onClick={() => onChoose({ t: target, s: steps[step]?.name })} />
          );
        })}
      </span>
    </div>
  );
});
MatrixRow.displayName = "MatrixRow";
