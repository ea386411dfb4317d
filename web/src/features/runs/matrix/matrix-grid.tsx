import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef } from "react";

import { duration } from "@/lib/time";
import { useNow } from "@/ui/time";

import classes from "./matrix.module.css";
import { cellId, type Chosen, MatrixRow } from "./matrix-row";
import type { Matrix, Row } from "./model";
import { extentOf, spanAt, ticksOf } from "./timeline";
import { useMatrixKeys } from "./use-matrix-keys";

const ROW_PX = 26;

interface Props {
  matrix: Matrix;
  /** Those to show, in order. */
  rows: readonly Row[];
  chosen: Chosen;
  onChoose: (chosen: Chosen) => void;
}

const templateOf = (steps: number): string => `minmax(92px, min(168px, 34vw)) repeat(${steps}, minmax(46px, min(92px, 13vw))) minmax(220px, 1fr)`;

/** Targets by steps beside the timeline; only the rows in sight exist. */
export const MatrixGrid = ({ matrix, rows, chosen, onChoose }: Props) => {
  const frame = useRef<HTMLDivElement>(null);
  const now = useNow();
  const extent = useMemo(() => extentOf(matrix.rows), [matrix]);
  const moving = extent?.open === true;
  const at = moving ? now : 0;
  const span = useMemo(() => extent && spanAt(extent, at), [extent, at]);
  const { steps } = matrix;
  const template = templateOf(steps.length);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => frame.current,
    estimateSize: () => ROW_PX,
    getItemKey: (index) => rows[index]?.key ?? index,
    overscan: 8,
    initialRect: { width: 1_000, height: 340 },
  });
  const { place, onKeyDown } = useMatrixKeys({ rows, steps, chosen, onChoose, onMove: (row) => virtual.scrollToIndex(row) });
  const items = virtual.getVirtualItems();
  const activeRow = rows[place.row];
  const inSight = items.some(({ index }) => index === place.row);

  return (
    <div ref={frame} className={classes.frame} role="grid" aria-label="Targets by steps" aria-rowcount={rows.length + 1} aria-colcount={steps.length + 2} tabIndex={0}
      onKeyDown={onKeyDown} {...(activeRow && inSight ? { "aria-activedescendant": cellId(activeRow, place.column) } : {})}>
      <div className={classes.table} role="presentation">
        <div role="rowgroup">
          <div className={`${classes.row} ${classes.head}`} role="row" aria-rowindex={1} style={{ gridTemplateColumns: template }}>
            <span role="columnheader" className={classes.name}>Target</span>
            {steps.map(({ name, type }) => (
              <span key={name} role="columnheader" className={classes.step} title={`${name} (${type})`} {...(chosen.s === name && chosen.t === undefined ? { "data-chosen": true } : {})}
                onClick={() => onChoose(chosen.s === name && chosen.t === undefined ? {} : { s: name })}>
                {name}
              </span>
            ))}
            <span role="columnheader" className={classes.ticks}>
              <span className="off-screen">Timeline</span>
              {span && ticksOf(span).map(({ left, ms }) => (
                <span key={ms} className={classes.tick} style={{ left: `${Math.min(left, 99.5)}%` }} aria-hidden="true">{left < 92 && <span>{ms === 0 ? "0" : duration(ms)}</span>}</span>
              ))}
            </span>
          </div>
        </div>
        <div className={classes.body} role="rowgroup" style={{ height: virtual.getTotalSize() }}>
          {items.map(({ index, start, key }) => {
            const row = rows[index];
            return row && (
              <MatrixRow key={key} row={row} index={index} steps={steps} template={template} start={start} span={span} now={at}
                chosen={chosen} active={index === place.row ? place.column : null} onChoose={onChoose} />
            );
          })}
        </div>
      </div>
    </div>
  );
};
