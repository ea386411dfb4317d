import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { type RerunBody, useRerun } from "@/features/runs/run-queries";
import { randomKey } from "@/lib/ids";
import { toastProblem } from "@/ui/toasts";

export type Ask = Partial<RerunBody>;

/** Runs again and leads to the new run. Pressing twice starts one. */
export const useAgain = (runId: string) => {
  const navigate = useNavigate();
  const rerun = useRerun(runId);
  const [key, setKey] = useState(randomKey);
  const start = (ask: Ask, onError?: (error: Error) => void): void =>
    rerun.mutate(
      { ask: { tasks: "all", version: "same", parameters: {}, ...ask }, key },
      {
        onSuccess: ({ id }) => void navigate({ to: "/runs/$runId", params: { runId: id } }),
        onError: onError ?? ((error) => toastProblem("It could not be run again", error)),
        onSettled: () => setKey(randomKey()),
      },
    );
  return { start, pending: rerun.isPending };
};
