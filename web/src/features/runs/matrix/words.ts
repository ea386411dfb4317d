import { duration } from "@/lib/time";
import { TASK_STATE } from "@/ui/status";

import type { Cell, MatrixStep, Row } from "./model";

const took = (cell: Cell, now: number): string =>
  cell.started_at ? `, ${duration((cell.ended_at ? Date.parse(cell.ended_at) : now) - Date.parse(cell.started_at))}` : "";

/** What a cell says to who points at it or listens to it. */
export const cellWords = (row: Row, step: MatrixStep | undefined, cell: Cell, now: number): string => {
  const place = `${step?.name ?? "?"}${row.target === null ? "" : ` on ${row.target}`}`;
  const settled = cell.resolution ? `, settled as ${cell.resolution}` : "";
  const code = cell.code && cell.code !== "exit_code" ? ` (${cell.code})` : "";
  const exit = cell.exit_code !== null && cell.exit_code !== undefined && cell.exit_code !== 0 ? `, exit code ${cell.exit_code}` : "";
  const again = cell.attempt > 1 ? `, attempt ${cell.attempt}` : "";
  const waits = cell.waiting_for ? `, waits for ${cell.waiting_for}` : "";
  return `${place}: ${TASK_STATE[cell.state].word}${code}${settled}${exit}${again}${took(cell, now)}${waits}`;
};
