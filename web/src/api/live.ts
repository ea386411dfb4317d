/**
 * The one event stream of this tab.
 *
 * Mounted components register topics; the stream is opened for all of them together and opened anew when they
 * change. It resumes after the last event it saw, backs off when it cannot, and hands events on once per frame.
 * Events may be seen twice, never missed: what handles them must not mind a repetition.
 */
import { problemOf } from "@/lib/problem";

import { askStream, readStream } from "./live-connection";
import { byTopic, earlier, isRun, type LiveEvent } from "./live-events";
import { isRunStatus, runEnded } from "./run-status";
import { onSessionChange } from "./session";

/** `idle`: nobody listens. `ended`: everything listened to has ended. `delayed`: the server says it lags. */
export type LiveState = "idle" | "connecting" | "live" | "reconnecting" | "delayed" | "ended";

export interface Listener {
  /** All events of this topic since the last frame, in order. */
  onEvents: (events: readonly LiveEvent[]) => void;
  /**
   * Read the state anew. `lost`: also what was told so far is void, since the server counts anew; otherwise the
   * stream of a run goes on where it broke off, and only what has no past to resume (lists) may have changed.
   */
  onReset: (lost: boolean) => void;
}

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 20_000;
const HIDDEN_MS = 60_000;
const CONNECT_MS = 50;
/** Answers that say something about a topic, not about the way to the server. */
const REFUSALS: ReadonlySet<number> = new Set([403, 404, 422]);

type Timer = ReturnType<typeof setTimeout>;

export class LiveStream {
  private readonly listeners = new Map<string, Set<Listener>>();
  private readonly watchers = new Set<() => void>();
  private current: LiveState = "idle";
  private lastId: string | null = null;
  private connection: AbortController | null = null;
  private failures = 0;
  private retryTimer: Timer | undefined;
  private hiddenTimer: Timer | undefined;
  private waiting: LiveEvent[] = [];
  private flushing = false;
  private away = false;
  private readonly ended = new Set<string>();
  private readonly refused = new Set<string>();

  constructor() {
    document.addEventListener("visibilitychange", () => this.onVisibility());
    window.addEventListener("online", () => this.connectSoon(0));
    onSessionChange(() => {
      this.refused.clear(); // somebody else may be allowed more
      if (!this.connection) this.connectSoon(CONNECT_MS);
    });
  }

  get state(): LiveState {
    return this.current;
  }

  /** Called at every change of `state`. */
  watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  /** Listen to a topic until the returned function is called; to a run from this place on, or from its beginning. */
  subscribe(topic: string, listener: Listener, from: string | null = null): () => void {
    const known = this.listeners.get(topic);
    if (known) known.add(listener);
    else {
      if (isRun(topic)) {
        const alone = ![...this.listeners.keys()].some(isRun);
        this.lastId = alone ? from : earlier(this.lastId, from);
        this.ended.delete(topic);
      }
      this.refused.delete(topic);
      this.listeners.set(topic, new Set([listener]));
      this.connectSoon(CONNECT_MS);
    }
    return () => this.unsubscribe(topic, listener);
  }

  private unsubscribe(topic: string, listener: Listener): void {
    const known = this.listeners.get(topic);
    known?.delete(listener);
    if (known?.size === 0) {
      this.listeners.delete(topic);
      this.connectSoon(CONNECT_MS);
    }
  }

  private connectSoon(delay: number): void {
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => void this.connect(), delay);
  }

  private async connect(): Promise<void> {
    this.drop();
    if (this.wanted().length === 0) {
      this.become("idle");
      return;
    }
    const connection = new AbortController();
    this.connection = connection;
    this.become(this.failures > 0 ? "reconnecting" : "connecting");
    try {
      const response = await this.open(connection.signal);
      this.failures = 0;
      this.become("live");
      await readStream(response, connection, (id, event, text) => this.receive(id, event, text));
      if (connection.signal.aborted) return;
      this.onClosed();
    } catch {
      if (connection.signal.aborted && this.connection !== connection) return;
      this.onFailure();
    }
  }

  /** Opens the stream of all topics; one that is refused (gone, or not for this user) is left out from then on. */
  private async open(signal: AbortSignal): Promise<Response> {
    const topics = this.wanted();
    const response = await askStream(topics, this.lastId, signal);
    if (response.ok) return response;
    const problem = await problemOf(response);
    if (!REFUSALS.has(response.status)) throw problem;
    for (const topic of topics) if (topics.length === 1 || (await this.isRefused(topic, signal))) this.refused.add(topic);
    throw problem;
  }

  private wanted(): string[] {
    return [...this.listeners.keys()].filter((topic) => !this.refused.has(topic)).sort();
  }

  private async isRefused(topic: string, signal: AbortSignal): Promise<boolean> {
    const alone = new AbortController();
    const { status } = await askStream([topic], this.lastId, AbortSignal.any([signal, alone.signal]));
    alone.abort();
    return REFUSALS.has(status);
  }

  private receive(id: string | undefined, event: string, text: string): void {
    if (id !== undefined) this.lastId = id;
    if (event === "reset") {
      this.flush();
      this.tellAll(true);
      return;
    }
    if (event === "delayed") {
      this.become("delayed");
      return;
    }
    if (this.current === "delayed") this.become("live");
    const data = JSON.parse(text) as Record<string, unknown>;
    if (event === "run" && isRunStatus(data.status) && runEnded(data.status)) this.ended.add(`run:${String(data.run_id)}`);
    this.waiting.push({ id: id ?? null, event, data });
    this.flushSoon();
  }

  private flushSoon(): void {
    if (this.flushing) return;
    this.flushing = true;
    const flush = (): void => {
      this.flushing = false;
      this.flush();
    };
    // Hidden pages are given no frames.
    if (document.hidden) setTimeout(flush, 200);
    else requestAnimationFrame(flush);
  }

  private flush(): void {
    const events = this.waiting;
    this.waiting = [];
    for (const [topic, list] of byTopic(events))
      for (const listener of this.listeners.get(topic) ?? []) listener.onEvents(list);
  }

  private tellAll(lost: boolean): void {
    for (const listeners of this.listeners.values()) for (const listener of listeners) listener.onReset(lost);
  }

  /** The server closes a stream when all it speaks of has ended, and also when the session or the process does. */
  private onClosed(): void {
    this.drop();
    if ([...this.listeners.keys()].every((topic) => this.ended.has(topic) || this.refused.has(topic))) this.become("ended");
    else {
      this.become("reconnecting");
      this.connectSoon(FIRST_RETRY_MS);
    }
  }

  private onFailure(): void {
    this.drop();
    this.failures += 1;
    this.become("reconnecting");
    const longest = Math.min(FIRST_RETRY_MS * 2 ** (this.failures - 1), LONGEST_RETRY_MS);
    this.connectSoon(longest * (0.5 + Math.random() / 2));
  }

  private drop(): void {
    const connection = this.connection;
    this.connection = null;
    connection?.abort();
  }

  /** Browsers open six connections to a plain-http host; tabs that nobody looks at give theirs back. */
  private onVisibility(): void {
    clearTimeout(this.hiddenTimer);
    if (document.hidden) this.hiddenTimer = setTimeout(() => this.sleep(), HIDDEN_MS);
    else if (!this.connection) this.connectSoon(0);
  }

  private sleep(): void {
    this.drop();
    clearTimeout(this.retryTimer);
    if (this.listeners.size > 0) this.become("reconnecting");
  }

  private become(state: LiveState): void {
    if (state === this.current) return;
    if (state === "reconnecting") this.away = true;
    this.current = state;
    for (const watcher of this.watchers) watcher();
    if (state !== "live" || !this.away) return;
    // Lists have no past to resume: what happened meanwhile is read anew.
    this.away = false;
    this.tellAll(false);
  }
}
