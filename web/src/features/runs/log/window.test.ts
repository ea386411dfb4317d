import { expect, test, vi } from "vitest";

import { type Chunk, LogLines, type OpenStream } from "./lines";
import { type FindPlace, LogWindow, type ReadSome } from "./window";

/** Two streams that print into each other; every third chunk ends in the middle of a line. */
const STORED: Chunk[] = Array.from({ length: 3_000 }, (_, index) => {
  const stream = index % 2 === 0 ? "stdout" : "stderr";
  const seq = Math.floor(index / 2);
  return {
    id: `1.${index}.${index}`, task_id: stream, step: "s", target: "t", attempt: 1, stream, seq, time: "2026-01-01T00:00:00Z",
    data: seq % 3 === 2 ? `${stream} ${seq} begins` : `${stream} ${seq}\n`,
  };
});

const whole = (): LogLines => {
  const log = new LogLines();
  for (const chunk of STORED) log.add(chunk);
  return log;
};

const findPlace: FindPlace = (_, line) => {
  const log = new LogLines();
  const open = new Map<string, OpenStream>();
  for (const [index, chunk] of STORED.entries()) {
    const before = log.count;
    log.add(chunk);
    if (log.count >= line && log.count > before)
      return Promise.resolve({ after: STORED[index - 1]?.id ?? null, first_line: before + 1, begun: [...open.values()] });
    if (chunk.data.endsWith("\n")) open.delete(chunk.task_id);
    else open.set(chunk.task_id, chunk);
  }
  throw new Error("beyond the end");
};
const readSome: ReadSome = (_, after, limit) => {
  const from = after === null ? 0 : STORED.findIndex(({ id }) => id === after) + 1;
  return Promise.resolve(STORED.slice(from, from + limit));
};

const texts = (window: LogWindow): string[] => window.state?.lines.slice(0, window.state.count).map(({ text }) => text) ?? [];

// Of four lines in a row one begins while the other stream is in the middle of a line.
test.each([350, 351, 352, 353])("lines around %i have the numbers and the text they have in all of the log, in both directions", async (line) => {
  const all = whole().lines.map(({ text }) => text);
  const window = new LogWindow({}, line, findPlace, readSome);
  await vi.waitFor(() => expect(window.state).not.toBeNull());
  const opened = window.state?.first ?? 0;
  const same = (): void => {
    const first = (window.state?.first ?? 0) - 1;
    // the last line of each stream may go on where more is read
    expect(texts(window).slice(0, -2)).toEqual(all.slice(first, first + texts(window).length - 2));
  };
  expect([opened > line - 200, opened <= line - 150]).toEqual([true, true]);
  same();

  window.grow("before");
  await vi.waitFor(() => expect(window.state?.first).toBe(1));
  same();

  const known = window.state?.count ?? 0;
  window.grow("after");
  await vi.waitFor(() => expect(window.state?.count).toBeGreaterThan(known));
  same();
});

test("a window that is left tells nothing any more", async () => {
  const window = new LogWindow({}, 350, findPlace, readSome);
  const told = vi.fn();
  window.watch(told);
  window.stop();
  await new Promise((wake) => setTimeout(wake));
  expect([told.mock.calls.length, window.state]).toEqual([0, null]);
});
