import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";

import { awaitTest, type ConnectionTest, pinTarget, startTest, targetKeys, type TestWanted } from "@/features/targets/api";
import type { Pinnable } from "./presented";

/** Runs tests of one target, one at a time; leaving the page ends the waiting, not the test. */
export const useConnectionTest = (targetId: string) => {
  const queries = useQueryClient();
  const leaving = useRef(new AbortController());
  useEffect(() => {
    const controller = new AbortController();
    leaving.current = controller;
    return () => controller.abort();
  }, []);
  const running = useMutation({
    mutationFn: async (wanted: TestWanted) => awaitTest(await startTest(targetId, wanted), leaving.current.signal),
    onSettled: () => Promise.all([
      queries.invalidateQueries({ queryKey: targetKeys.all }),
      queries.invalidateQueries({ queryKey: ["credentials"] }),
    ]),
  });
  const pinning = useMutation({
    mutationFn: ({ test, seen }: { test: ConnectionTest; seen: Pinnable }) => pinTarget(targetId, { test_id: test.id, ...seen }),
    onSuccess: () => queries.invalidateQueries({ queryKey: targetKeys.all }),
  });
  return { running, pinning };
};
