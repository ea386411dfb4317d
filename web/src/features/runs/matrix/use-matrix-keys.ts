import { useHotkeys } from "@mantine/hooks";
import { type KeyboardEvent, useState } from "react";

import type { Chosen } from "./matrix-row";
import { countsAs, type MatrixStep, type Row } from "./model";

interface Place {
  row: number;
  /** -1 is the name. */
  column: number;
}

interface Keys {
  rows: readonly Row[];
  steps: readonly MatrixStep[];
  chosen: Chosen;
  onChoose: (chosen: Chosen) => void;
  onMove: (row: number) => void;
}

const FAILING: ReadonlySet<string> = new Set(["failed", "timed_out", "unknown"]);

const MOVES: Readonly<Record<string, readonly [number, number]>> = {
  ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1], PageDown: [10, 0], PageUp: [-10, 0],
};

/** j and k anywhere, arrows inside; Enter shows the log of the cell, Escape that of all, f goes to the next failure. */
export const useMatrixKeys = ({ rows, steps, chosen, onChoose, onMove }: Keys) => {
  const [wanted, setWanted] = useState<Place>({ row: -1, column: -1 });
  const place = { row: Math.min(wanted.row, rows.length - 1), column: Math.min(wanted.column, steps.length - 1) };
  const go = (row: number, column: number): void => {
    const next = { row: Math.max(0, Math.min(row, rows.length - 1)), column: Math.max(-1, Math.min(column, steps.length - 1)) };
    setWanted(next);
    if (rows.length > 0) onMove(next.row);
  };
  const choose = (): void => {
    const row = rows[place.row];
    if (row) onChoose({ t: row.target ?? undefined, s: steps[place.column]?.name });
  };
  const nextFailure = (): void => {
    const failures = rows.flatMap((row, index) => row.cells.flatMap((cell) => (cell && FAILING.has(countsAs(cell)) ? [{ row: index, column: cell.step }] : [])));
    const next = failures.find(({ row, column }) => row > place.row || (row === place.row && column > place.column)) ?? failures[0];
    const row = next && rows[next.row];
    if (!row) return;
    go(next.row, next.column);
    onChoose({ t: row.target ?? undefined, s: steps[next.column]?.name });
  };
  useHotkeys([
    ["j", () => go(place.row + 1, place.column)],
    ["k", () => go(place.row - 1, place.column)],
    ["f", nextFailure],
  ]);
  const onKeyDown = (event: KeyboardEvent): void => {
    const move = MOVES[event.key];
    if (move) go(place.row + move[0], place.column + move[1]);
    else if (event.key === "Home") go(place.row, -1);
    else if (event.key === "End") go(place.row, steps.length - 1);
    else if (event.key === "Enter" || event.key === " ") choose();
    else if (event.key === "Escape" && (chosen.t !== undefined || chosen.s !== undefined)) onChoose({});
    else return;
    event.preventDefault();
  };
  return { place, onKeyDown };
};
