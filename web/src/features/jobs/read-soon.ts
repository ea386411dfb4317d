import { type QueryKey, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";

const SOON_MS = 1_000;

/** Reads this again shortly, once however often it is asked meanwhile. */
export const useReadSoon = (queryKey: QueryKey): (() => void) => {
  const queries = useQueryClient();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => { clearTimeout(timer.current); timer.current = undefined; }, []);
  return () => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      if (!document.hidden) void queries.invalidateQueries({ queryKey });
    }, SOON_MS);
  };
};
