/** What can be done with one run of the list: the same as with many. */
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";

import { useRefusal } from "@/api/me";
import { runEnded } from "@/api/run-status";
import { copyText } from "@/lib/clipboard";
import { randomKey } from "@/lib/ids";
import { confirm } from "@/ui/confirm";
import type { RowAction } from "@/ui/table/row-menu";
import { toastDone, toastProblem } from "@/ui/toasts";

import { actOnRuns, type Again, rerun, type Run, runKeys } from "./api";

const unhappy = ({ progress: { failed, timed_out, unknown } }: Run): number => failed + timed_out + unknown;

export const useRowActions = (): ((run: Run) => RowAction[]) => {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [mayStart, mayCancel] = [useRefusal("runs:start"), useRefusal("runs:cancel")];
  const readAgain = (): void => void queries.invalidateQueries({ queryKey: runKeys.all });

  const again = async (run: Run, tasks: Again["tasks"]): Promise<void> => {
    const text = tasks === "all" ? "Everything is carried out once more, with the version, parameters and targets it had." : "Its steps are carried out once more, on the targets where something failed, timed out or stayed unknown.";
    if (!(await confirm({ title: `Run ${run.job_name} again?`, text, verb: "Run again" }))) return;
    try {
      const { id } = await rerun(run.id, tasks, randomKey());
      void navigate({ to: "/runs/$runId", params: { runId: id } });
    } catch (error) {
      toastProblem("It was not started again", error);
    }
    readAgain();
  };
  const cancel = async (run: Run): Promise<void> => {
    const text = "Commands that are running are stopped on their targets. What they have done so far stays done.";
    if (!(await confirm({ title: `Cancel this run of ${run.job_name}?`, text, verb: "Cancel it", danger: true }))) return;
    const { done, refusal } = await actOnRuns({ action: "cancel", which: { ids: [run.id] } }).catch((error: unknown) => ({ done: 0, refusal: String(error) }));
    if (done > 0) toastDone("The run was asked to stop.");
    else toastProblem("It was not cancelled", new Error(refusal ?? "Refused."));
    readAgain();
  };
  const copy = async (run: Run): Promise<void> => {
    if (await copyText(run.id)) toastDone("The run's id is copied.");
  };
  return (run) => [
    { label: "Open", run: () => void navigate({ to: "/runs/$runId", params: { runId: run.id } }) },
    { label: "Run again", refusal: mayStart, run: () => void again(run, "all") },
    ...(unhappy(run) > 0 ? [{ label: "Run again, failed targets only", refusal: mayStart ?? (runEnded(run.status) ? null : "It has not ended yet."), run: () => void again(run, "failed") }] : []),
    { label: "Show runs of this job", run: () => void navigate({ to: "/runs", search: { job: run.job_id } }) },
    { label: "Copy its id", run: () => void copy(run) },
    { label: "Cancel", danger: true, refusal: mayCancel ?? (runEnded(run.status) ? "It has ended." : null), run: () => void cancel(run) },
  ];
};
