/** Keeps everything the page of a run shows as of now. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState, useSyncExternalStore } from "react";

import type { LiveEvent } from "@/api/live-events";
import { useLive, usePolling } from "@/api/live-hooks";
import { isRunStatus, runEnded } from "@/api/run-status";

import { runQuery } from "@/features/runs/api";
import { type FeedState, LogFeed, type Part } from "@/features/runs/log/feed";
import { readingEnding, readingLog, readPlace } from "@/features/runs/log/reading";
import { type Matrix, withEvents } from "@/features/runs/matrix/model";
import { failuresQuery, keys, matrixQuery } from "@/features/runs/run-queries";

const READ_AGAIN_MS = 1_000;
/** A matrix of 1,000 tasks is read again each second, one of 100,000 every half minute; events tell the rest. */
const MS_PER_CELL = 0.3;

const cellsOf = (matrix: Matrix | undefined): number => (matrix ? matrix.rows.length * matrix.steps.length : 0);

export interface Room {
  run: ReturnType<typeof useRun>;
  matrix: Matrix | undefined;
  matrixError: Error | null;
  failures: ReturnType<typeof useFailures>;
  /** Reads what is stored once the event stream tells what is not. */
  ready: boolean;
  feeds: Set<LogFeed>;
  readAgain: () => void;
}

const useRun = (id: string, enabled: boolean, polling: number | false) =>
  useQuery({ ...runQuery(id), enabled, refetchInterval: ({ state }) => (state.data && runEnded(state.data.status) ? false : polling) });

const useFailures = (id: string, enabled: boolean) => useQuery({ ...failuresQuery(id), enabled });

export const useRoom = (id: string): Room => {
  const queries = useQueryClient();
  const polling = usePolling();
  const [feeds] = useState(() => new Set<LogFeed>());
  const place = useQuery({ queryKey: ["runs", "place", id], queryFn: ({ signal }) => readPlace(id, signal), staleTime: Infinity, gcTime: 0 });
  const ready = place.isFetched;
  const run = useRun(id, ready, polling);
  const matrix = useQuery({ ...matrixQuery(id), enabled: ready, refetchInterval: run.data && runEnded(run.data.status) ? false : polling });
  const failures = useFailures(id, ready);

  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const matrixRead = useRef(0);
  const readAgain = (): void => {
    const known = queries.getQueryData(matrixQuery(id).queryKey);
    const due = Date.now() - matrixRead.current >= cellsOf(known) * MS_PER_CELL;
    if (due) matrixRead.current = Date.now();
    void queries.invalidateQueries({ queryKey: runQuery(id).queryKey, exact: true });
    void queries.invalidateQueries({ queryKey: keys.failures(id) });
    void queries.invalidateQueries({ queryKey: ["tasks"] });
    if (due) void queries.invalidateQueries({ queryKey: keys.matrix(id) });
    else readSoon();
  };
  const readSoon = (): void => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      readAgain();
    }, READ_AGAIN_MS);
  };
  useEffect(() => () => clearTimeout(timer.current), []);

  const onEvents = (events: readonly LiveEvent[]): void => {
    for (const feed of feeds) feed.onEvents(events);
    const news = events.filter(({ event }) => event !== "output");
    if (news.length === 0) return;
    queries.setQueryData(matrixQuery(id).queryKey, (known) => known && withEvents(known, news, new Date().toISOString()));
    for (const { event, data } of news) {
      if (event !== "run" || !isRunStatus(data.status)) continue;
      const { status } = data;
      queries.setQueryData(runQuery(id).queryKey, (known) => known && { ...known, status });
      if (runEnded(status)) matrixRead.current = 0;
    }
    readSoon();
  };
  const onReset = (lost: boolean): void => {
    for (const feed of feeds) {
      if (lost) feed.onLost();
      else feed.catchUp();
    }
    readAgain();
  };
  useLive(run.data ? `run:${id}` : null, { onEvents, onReset }, place.data ?? null);

  useEffect(() => {
    if (polling === false) return;
    const ticker = setInterval(() => {
      for (const feed of feeds) feed.catchUp();
    }, polling);
    return () => clearInterval(ticker);
  }, [feeds, polling]);

  return { run, matrix: matrix.data, matrixError: matrix.error, failures, ready, feeds, readAgain };
};

const nothing = (): void => undefined;
const NO_FEED: FeedState = { lines: [], count: 0, firm: 0, version: 0, loading: true, ending: null, askEnding: nothing, error: null };
const noWatch = () => nothing;

/** The output of a part of the run while mounted; `wanted`: somebody looks at it. */
export const useFeed = (runId: string, { target, step }: Part, { ready, feeds }: Pick<Room, "ready" | "feeds">, wanted = true): LogFeed | null => {
  const [feed, setFeed] = useState<LogFeed | null>(null);
  useEffect(() => {
    if (!ready || !wanted) return;
    const mine = new LogFeed({ target, step }, readingLog(runId), readingEnding(runId));
    feeds.add(mine);
    setFeed(mine);
    return () => {
      feeds.delete(mine);
      mine.stop();
      setFeed(null);
    };
  }, [feeds, ready, wanted, runId, step, target]);
  return feed;
};

export const useFeedState = (feed: LogFeed | null): FeedState =>
  useSyncExternalStore(feed ? feed.watch : noWatch, () => feed?.state ?? NO_FEED);
