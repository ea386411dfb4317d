import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { LiveStream, type Listener } from "./live";
import type { LiveEvent } from "./live-events";
import { begin, end } from "./session";

interface Opened {
  topics: string;
  from: string | null;
  signal: AbortSignal;
  send: (text: string) => void;
  close: () => void;
}

let opened: Opened[];
let stops: (() => void)[];
let refuse: (topics: string) => number | null;

const json = { "content-type": "application/problem+json" };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "requestAnimationFrame", "Date"] });
  opened = [];
  stops = [];
  refuse = () => null;
  vi.stubGlobal("fetch", async (input: string, init: RequestInit) => {
    const topics = new URL(input, location.origin).searchParams.get("topics") ?? "";
    const status = refuse(topics);
    if (status === 0) throw new TypeError("Failed to fetch");
    if (status !== null) return new Response(JSON.stringify({ code: "refused", detail: "No." }), { status, headers: json });
    const encoder = new TextEncoder();
    let sink!: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({ start: (controller) => { sink = controller; } });
    const { signal } = init as { signal: AbortSignal };
    signal.addEventListener("abort", () => { try { sink.error(signal.reason); } catch { /* closed already */ } });
    opened.push({ topics, from: new Headers(init.headers).get("last-event-id"), signal, send: (text) => sink.enqueue(encoder.encode(text)), close: () => sink.close() });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  });
  begin({ access_token: "a", refresh_token: "r", token_type: "bearer", expires_in: 900, must_change_password: false });
});

afterEach(async () => {
  for (const stop of stops) stop();
  await pass(100);
  end();
  vi.useRealTimers();
  Object.defineProperty(document, "hidden", { configurable: true, value: false });
});

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

const listen = (stream: LiveStream, topic: string, listener: Listener): void => {
  stops.push(stream.subscribe(topic, listener));
};

const listening = (): Listener & { events: LiveEvent[]; resets: boolean[] } => {
  const events: LiveEvent[] = [];
  const resets: boolean[] = [];
  return { events, resets, onEvents: (more) => events.push(...more), onReset: (lost) => resets.push(lost) };
};

const last = (): Opened => {
  const newest = opened.at(-1);
  if (!newest) throw new Error("No stream was opened.");
  return newest;
};

test("topics share one stream, and each listener hears its own", async () => {
  const stream = new LiveStream();
  const [runs, workers] = [listening(), listening()];
  listen(stream, "runs", runs);
  listen(stream, "workers", workers);
  await pass(100);

  expect(opened.map(({ topics }) => topics)).toEqual(["runs,workers"]);
  last().send('event: run\ndata: {"run_id": "1", "status": "running"}\n\nevent: workers\ndata: {}\n\n');
  await pass(50);

  expect(runs.events.map(({ event }) => event)).toEqual(["run"]);
  expect(workers.events.map(({ event }) => event)).toEqual(["workers"]);
});

test("a broken stream goes on after the last event that was seen, and lists are read anew", async () => {
  const stream = new LiveStream();
  const run = listening();
  listen(stream, "run:1", run);
  await pass(100);
  last().send('id: 7.1.2\nevent: output\ndata: {"run_id": "1"}\n\n');
  await pass(50);
  last().close();
  await pass(5_000);

  expect(opened.map(({ from }) => from)).toEqual([null, "7.1.2"]);
  expect(run.resets).toEqual([false]);
  expect(stream.state).toBe("live");
});

test("a reset says that the past is void", async () => {
  const stream = new LiveStream();
  const run = listening();
  listen(stream, "run:1", run);
  await pass(100);
  last().send("event: reset\ndata: {}\n\n");
  await pass(50);

  expect(run.resets).toEqual([true]);
});

test("while the server is away it is asked ever more seldom, and found again when it is back", async () => {
  let asked = 0;
  refuse = () => { asked += 1; return 0; };
  const stream = new LiveStream();
  listen(stream, "runs", listening());
  await pass(60_000);

  expect(stream.state).toBe("reconnecting");
  expect(asked).toBeGreaterThan(4);
  expect(asked).toBeLessThan(20);
  refuse = () => null;
  await pass(21_000);
  expect(stream.state).toBe("live");
});

test("a topic that is refused does not take the others along", async () => {
  refuse = (topics) => (topics.includes("dlq") ? 403 : null);
  const stream = new LiveStream();
  const runs = listening();
  listen(stream, "runs", runs);
  listen(stream, "dlq", listening());
  await pass(5_000);

  expect(stream.state).toBe("live");
  expect(last().topics).toBe("runs");
  last().send('event: run\ndata: {"run_id": "1", "status": "running"}\n\n');
  await pass(50);
  expect(runs.events).toHaveLength(1);
});

test("where the only topic is refused nobody is asked again and again", async () => {
  let asked = 0;
  refuse = () => { asked += 1; return 404; };
  const stream = new LiveStream();
  listen(stream, "run:gone", listening());
  await pass(120_000);

  expect(asked).toBe(1);
  expect(stream.state).toBe("idle");
});

test("a connection that stays silent is given up and opened anew", async () => {
  const stream = new LiveStream();
  listen(stream, "runs", listening());
  await pass(100);
  await pass(45_000);

  expect(opened.length).toBe(2);
});

test("a tab that nobody looks at gives its connection back, and takes it again", async () => {
  const stream = new LiveStream();
  listen(stream, "runs", listening());
  await pass(100);
  last().send(": still here\n\n");
  Object.defineProperty(document, "hidden", { configurable: true, value: true });
  document.dispatchEvent(new Event("visibilitychange"));
  for (let at = 0; at < 7; at += 1) {
    if (!last().signal.aborted) last().send(": still here\n\n");
    await pass(10_000);
  }
  expect(last().signal.aborted).toBe(true);

  Object.defineProperty(document, "hidden", { configurable: true, value: false });
  document.dispatchEvent(new Event("visibilitychange"));
  await pass(100);
  expect(opened.length).toBe(2);
  expect(stream.state).toBe("live");
});

test("a server that lags says so, until the next event", async () => {
  const stream = new LiveStream();
  listen(stream, "runs", listening());
  await pass(100);
  last().send("event: delayed\ndata: {}\n\n");
  await pass(20);
  expect(stream.state).toBe("delayed");
  last().send('event: run\ndata: {"run_id": "1"}\n\n');
  await pass(20);
  expect(stream.state).toBe("live");
});
