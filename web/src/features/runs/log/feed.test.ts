import { expect, test, vi } from "vitest";

import type { LiveEvent } from "@/api/live-events";

import { LogFeed, type ReadLog } from "./feed";
import type { Chunk } from "./lines";

const chunk = (seq: number, more: Partial<Chunk> = {}): Chunk => ({
  id: `1.${seq}.${seq}`, task_id: "t1", step: "install", target: "web-1", attempt: 1, stream: "stdout", seq,
  time: "2026-01-01T00:00:00Z", data: `line ${seq}\n`, ...more,
});
const told = (...chunks: Chunk[]): LiveEvent[] => chunks.map(({ id, ...data }) => ({ id, event: "output", data: { run_id: "r", ...data } }));
const texts = (feed: LogFeed): string[] => feed.state.lines.slice(0, feed.state.count).map(({ text }) => text);

/** A store that answers when it is told to. */
const aStore = (...stored: Chunk[]) => {
  const waiting: (() => void)[] = [];
  const asked: (string | null)[] = [];
  const read: ReadLog = (_, after, onChunks) =>
    new Promise((resolve) => {
      asked.push(after);
      waiting.push(() => {
        const from = after === null ? 0 : stored.findIndex(({ id }) => id === after) + 1;
        onChunks(stored.slice(from));
        resolve();
      });
    });
  return { stored, asked, read, answer: () => waiting.shift()?.() };
};
const settle = () => vi.waitFor(() => Promise.resolve());

test("what is told while the store is read comes after it, and once", async () => {
  const store = aStore(chunk(0), chunk(1));
  const feed = new LogFeed({}, store.read);
  feed.onEvents(told(chunk(1), chunk(2)));
  store.answer();
  await settle();
  expect(texts(feed)).toEqual(["line 0", "line 1", "line 2"]);
  feed.onEvents(told(chunk(2), chunk(3)));
  expect(texts(feed)).toEqual(["line 0", "line 1", "line 2", "line 3"]);
});

test("where the stream left something out, it is read from the store", async () => {
  const store = aStore(chunk(0));
  const feed = new LogFeed({}, store.read);
  store.answer();
  await settle();
  store.stored.push(chunk(1), chunk(2));
  feed.onEvents(told(chunk(2), chunk(3)));
  expect(texts(feed)).toEqual(["line 0"]);
  store.answer();
  await settle();
  expect(texts(feed)).toEqual(["line 0", "line 1", "line 2", "line 3"]);
  expect(store.asked).toEqual([null, "1.0.0"]);
});

test("a part takes only what belongs to it", async () => {
  const store = aStore();
  const feed = new LogFeed({ target: "web-1", step: "install" }, store.read);
  store.answer();
  await settle();
  feed.onEvents(told(chunk(0), chunk(0, { task_id: "t2", target: "web-2" }), chunk(0, { task_id: "t3", step: "verify" })));
  expect(texts(feed)).toEqual(["line 0"]);
});

test("when the server counts anew, everything is read anew", async () => {
  const store = aStore(chunk(0));
  const feed = new LogFeed({}, store.read);
  store.answer();
  await settle();
  feed.onLost();
  store.answer();
  await settle();
  expect(texts(feed)).toEqual(["line 0"]);
  expect(store.asked).toEqual([null, null]);
});

test("a failure is shown, and what was read before it stays", async () => {
  let fail = false;
  const read: ReadLog = (_, __, onChunks) => {
    if (fail) return Promise.reject(new Error("gone"));
    onChunks([chunk(0)]);
    return Promise.resolve();
  };
  const feed = new LogFeed({}, read);
  await settle();
  fail = true;
  feed.catchUp();
  await settle();
  expect([feed.state.error, texts(feed)]).toEqual(["gone", ["line 0"]]);
  feed.stop();
});

test("while a long log is read, its end is shown to those who wait for it, with what is told meanwhile", async () => {
  const store = aStore(chunk(0), chunk(1), chunk(2));
  const feed = new LogFeed({}, store.read, (_, onChunks) => {
    onChunks([chunk(2)]);
    return Promise.resolve();
  });
  const ending = (): string[] | undefined => feed.state.ending?.map(({ text }) => text);
  expect(ending()).toBeUndefined();
  feed.askEnding();
  await settle();
  expect(ending()).toEqual(["line 2"]);
  feed.onEvents(told(chunk(2), chunk(3)));
  expect([ending(), texts(feed)]).toEqual([["line 2", "line 3"], []]);
  store.answer();
  await settle();
  expect([feed.state.ending, texts(feed)]).toEqual([null, ["line 0", "line 1", "line 2", "line 3"]]);
  feed.askEnding();
  await settle();
  expect(feed.state.ending).toBeNull();
});
