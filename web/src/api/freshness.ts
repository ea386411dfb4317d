/** Keeps what is read of the system as of now: read again soon after an event, and at times without one. */
import { type QueryKey, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";

import { useLive } from "./live-hooks";

const SOON_MS = 1_000;

/** How often to read what changes without an event (ages, leases), in milliseconds. */
export const SLOWLY_MS = 15_000;

/** Reads the queries below `key` again when `topic` tells something, once a second at most. */
export const useFreshness = (topic: string | null, key: QueryKey): void => {
  const queries = useQueryClient();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const readSoon = (): void => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      void queries.invalidateQueries({ queryKey: key });
    }, SOON_MS);
  };
  useEffect(() => () => {
    clearTimeout(timer.current);
    timer.current = undefined;
  }, []);
  useLive(topic, { onEvents: readSoon, onReset: readSoon });
};
