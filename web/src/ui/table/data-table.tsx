/** The dense list of every room: virtual rows, plain cells (components in cells halve the frame rate). */
import { useElementSize, useMergedRef } from "@mantine/hooks";
import { rowSelectionFeature, type RowData, type RowSelectionState, tableFeatures, useTable } from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type MouseEvent, type ReactNode, useEffect, useMemo, useRef, useState } from "react";

import classes from "./data-table.module.css";
import { keepPlace, placeKey, placeOf } from "./places";
import { useRowKeys } from "./row-keys";
import { type RowAction, RowMenu, useRowMenu } from "./row-menu";

export interface Column<Row> {
  id: string;
  header: string;
  /** A grid track: `120px`, `minmax(160px, 2fr)`. */
  width: string;
  cell: (row: Row) => ReactNode;
  end?: boolean;
  /** Shown only where the table is at least this many pixels wide; `Infinity` is for cards alone. */
  from?: number;
  /** The list can be sorted by it: the word for it in the address. */
  sort?: string;
  /** Where it stands on a narrow screen, on which a row is a card of two lines: left out of it when not said. */
  card?: "title" | "mark" | "note";
}

/** By what the list is sorted: a column's `sort`, with a minus backwards; null is the order it comes in. */
export interface Sorting {
  by: string | null;
  onChange: (by: string | null) => void;
}

export interface Selection {
  chosen: ReadonlySet<string>;
  onChange: (chosen: ReadonlySet<string>) => void;
}

interface Props<Row extends RowData> {
  /** What the rows are, for screen readers. */
  label: string;
  rows: readonly Row[];
  columns: readonly Column<Row>[];
  idOf: (row: Row) => string;
  onOpen: (row: Row) => void;
  selection?: Selection;
  /** What a key does with the row that j and k have gone to: `{ r: run }`. */
  keys?: Readonly<Record<string, (row: Row) => void>>;
  /** What can be done with a row, in a menu at its end; `nameOf` says of what. */
  actions?: (row: Row) => readonly RowAction[];
  nameOf?: (row: Row) => string;
  sorting?: Sorting;
  /** Called when the end comes into sight. */
  onEnd?: () => void;
  hasMore?: boolean;
}

const ROW_PX = 34;
const CARD_PX = 62;
/** Narrower than this, rows are cards. */
const CARDS_BELOW = 520;
const NEAR_END = 20;
const features = tableFeatures({ rowSelectionFeature });

const stateOf = (chosen: ReadonlySet<string>): RowSelectionState =>
  Object.fromEntries([...chosen].map((id) => [id, true as const]));

/** `name` → `-name` → the order it comes in. */
const nextSort = (sort: string, by: string | null): string | null => (by === sort ? `-${sort}` : by === `-${sort}` ? null : sort);

const Head = ({ column: { header, sort, end }, sorting }: { column: Pick<Column<never>, "header" | "sort" | "end">; sorting: Sorting | undefined }) => {
  const edge = end ? classes.end : "";
  if (!sorting || sort === undefined) return <span role="columnheader" className={`${classes.cell} ${edge}`}>{header}</span>;
  const { by, onChange } = sorting;
  const order = by === sort ? "ascending" : by === `-${sort}` ? "descending" : "none";
  return (
    <span role="columnheader" aria-sort={order} className={`${classes.cell} ${edge}`}>
      <button type="button" className={classes.sort} onClick={() => onChange(nextSort(sort, by))}>
        {header} <span aria-hidden="true" className={classes.arrow}>{order === "ascending" ? "▲" : order === "descending" ? "▼" : "↕"}</span>
      </button>
    </span>
  );
};

export const DataTable = <Row extends RowData>({
  label, rows, columns, idOf, onOpen, selection, keys = {}, actions, nameOf = idOf, sorting, onEnd, hasMore = false,
}: Props<Row>) => {
  const frame = useRef<HTMLDivElement>(null);
  const { ref: measure, width } = useElementSize<HTMLDivElement>();
  const cards = width > 0 && width < CARDS_BELOW && columns.some(({ card }) => card !== undefined);
  const rowPx = cards ? CARD_PX : ROW_PX;
  const shown = columns.filter(({ from = 0 }) => (width === 0 ? from < Infinity : width >= from));
  const menu = useRowMenu();
  const table = useTable({
    features,
    data: rows,
    columns: useMemo(() => columns.map(({ id, header }) => ({ id, header })), [columns]),
    getRowId: idOf,
    enableRowSelection: selection !== undefined,
    state: { rowSelection: stateOf(selection?.chosen ?? new Set()) },
    onRowSelectionChange: (change) => {
      if (!selection) return;
      const next = typeof change === "function" ? change(stateOf(selection.chosen)) : change;
      selection.onChange(new Set(Object.keys(next)));
    },
  });
  const models = table.getRowModel().rows;
  const [place] = useState(() => placeOf(placeKey(label)));
  const virtual = useVirtualizer({
    count: models.length,
    getScrollElement: () => frame.current,
    estimateSize: () => rowPx,
    getItemKey: (index) => models[index]?.id ?? index,
    overscan: 12,
    initialRect: { width: 1_000, height: 800 },
    initialOffset: place?.offset ?? 0,
  });
  useEffect(() => virtual.measure(), [virtual, rowPx]);
  const at = (index: number, act: (row: Row) => void): void => {
    const model = models[index];
    if (model) act(model.original);
  };
  const active = useRowKeys({
    ids: useMemo(() => models.map(({ id }) => id), [models]),
    first: place?.row ?? null,
    onOpen: (index) => at(index, onOpen),
    onToggle: (index) => { if (selection) models[index]?.toggleSelected(); },
    onMove: (index, row) => {
      virtual.scrollToIndex(index);
      keepPlace(placeKey(label), { row });
    },
    others: Object.fromEntries(Object.entries(keys).map(([key, act]) => [key, (index: number) => at(index, act)])),
  });

  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (hasMore && last >= models.length - NEAR_END) onEnd?.();
  }, [hasMore, last, models.length, onEnd]);

  const tracks = [...(selection ? ["36px"] : []), ...(cards ? ["minmax(0, 1fr)"] : shown.map((column) => column.width)), ...(actions ? ["38px"] : [])];
  const template = { gridTemplateColumns: tracks.join(" ") };
  const click = (event: MouseEvent, row: Row): void => {
    if (event.target instanceof Element && !event.target.closest("a, button, input")) onOpen(row);
  };
  const openMenu = (opener: HTMLElement, row: Row): void => menu.setOpen({ opener, name: nameOf(row), actions: actions?.(row) ?? [] });

  return (
    <div className={classes.frame} ref={useMergedRef(frame, measure)} tabIndex={0} role="region" aria-label={label}
      onScroll={(event) => keepPlace(placeKey(label), { offset: event.currentTarget.scrollTop })}>
      <div className={`${classes.table} ${cards ? classes.cards : ""}`} role="table" aria-label={label} aria-rowcount={hasMore ? -1 : models.length + 1}>
        <div role="rowgroup">
          <div className={`${classes.row} ${classes.head}`} role="row" aria-rowindex={1} style={template}>
            {selection && (
              <span className={classes.tick} role="columnheader">
                <input type="checkbox" aria-label="Select all shown" checked={table.getIsAllRowsSelected()} onChange={table.getToggleAllRowsSelectedHandler()} />
              </span>
            )}
            {cards
              ? <Head column={columns.find(({ card }) => card === "title") ?? { header: label }} sorting={sorting} />
              : shown.map((column) => <Head key={column.id} column={column} sorting={sorting} />)}
            {actions && <span role="columnheader" className="off-screen">What to do</span>}
          </div>
        </div>
        <div className={classes.body} role="rowgroup" style={{ height: virtual.getTotalSize() }}>
          {items.map(({ index, start, key }) => {
            const model = models[index];
            if (!model) return null;
            return (
              <div
                key={key}
                role="row"
                aria-rowindex={index + 2}
                {...(selection ? { "aria-selected": model.getIsSelected() } : {})}
                {...(index === active ? { "data-active": true } : {})}
                className={classes.row}
                style={{ ...template, transform: `translateY(${start}px)` }}
                onClick={(event) => click(event, model.original)}
              >
                {selection && (
                  <span className={classes.tick} role="cell">
                    <input type="checkbox" aria-label="Select this row" checked={model.getIsSelected()} onChange={model.getToggleSelectedHandler()} />
                  </span>
                )}
                {cards ? <Card columns={columns} row={model.original} /> : shown.map(({ id, cell, end }) => (
                  <span key={id} role="cell" className={`${classes.cell} ${end ? classes.end : ""}`}>{cell(model.original)}</span>
                ))}
                {actions && (
                  <span role="cell" className={classes.tick}>
                    <button type="button" className={classes.kebab} aria-haspopup="menu" aria-label={`What to do with ${nameOf(model.original)}`}
                      onClick={(event) => openMenu(event.currentTarget, model.original)}>⋮</button>
                  </span>
                )}
              </div>
            );
          })}
        </div>
      </div>
      {hasMore && <div className={classes.more}>Loading more…</div>}
      {menu.open && <RowMenu open={menu.open} onClose={menu.close} />}
    </div>
  );
};

/** A row in two lines: its title and marks above, what else matters below. */
const Card = <Row,>({ columns, row }: { columns: readonly Column<Row>[]; row: Row }) => {
  const cells = (place: NonNullable<Column<Row>["card"]>) =>
    columns.filter(({ card }) => card === place).map(({ id, header, cell }) => <span key={id} className={classes[place]} data-column={header}>{cell(row)}</span>);
  return (
    <span role="cell" className={classes.card}>
      <span className={classes.upper}>{cells("title")}{cells("mark")}</span>
      <span className={classes.lower}>{cells("note")}</span>
    </span>
  );
};
