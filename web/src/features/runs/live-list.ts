/** Keeps a run list as of now: statuses from events at once, everything else by reading its newest page. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";

import { useLive, usePolling } from "@/api/live-hooks";
import { isRunStatus } from "@/api/run-status";
import type { RunStatus } from "@/ui/status";

import { readRuns, runsQuery } from "./api";
import { withHead, withStatuses } from "./merging";
import type { RunsFilter } from "./search";

const READ_AGAIN_MS = 1_000;

/** `busy`: some run shown has not ended, so its progress is read every few seconds. */
export const useLiveList = (filter: RunsFilter, busy: boolean): void => {
  const queries = useQueryClient();
  const { queryKey } = runsQuery(filter);
  const polling = usePolling();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);

  const readHead = async (): Promise<void> => {
    const head = await readRuns(filter, null).catch(() => null);
    if (!head) return;
    const known = queries.getQueryData(queryKey);
    const merged = known && withHead(known, head);
    if (merged) queries.setQueryData(queryKey, merged);
    else await queries.invalidateQueries({ queryKey });
  };
  const readSoon = (): void => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      void readHead();
    }, READ_AGAIN_MS);
  };
  useEffect(() => () => clearTimeout(timer.current), []);

  useLive("runs", {
    onEvents: (events) => {
      const statuses = new Map<string, RunStatus>();
      for (const { data } of events)
        if (typeof data.run_id === "string" && isRunStatus(data.status)) statuses.set(data.run_id, data.status);
      queries.setQueryData(queryKey, (known) => known && withStatuses(known, statuses));
      readSoon();
    },
    onReset: () => void queries.invalidateQueries({ queryKey }),
  });

  const every = polling === false ? (busy ? 3_000 : null) : polling;
  const read = useRef(readHead);
  useEffect(() => {
    read.current = readHead;
  });
  useEffect(() => {
    if (every === null) return;
    const ticker = setInterval(() => {
      if (!document.hidden) void read.current();
    }, every);
    return () => clearInterval(ticker);
  }, [every]);
};
