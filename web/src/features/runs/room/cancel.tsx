import { Button } from "@mantine/core";

import { runEnded } from "@/api/run-status";
import type { RunDetail } from "@/features/runs/api";
import { cancelReport, type Matrix } from "@/features/runs/matrix/model";
import { useCancel } from "@/features/runs/run-queries";
import { Allowed } from "@/ui/allowed";
import { confirm } from "@/ui/confirm";
import { toastProblem } from "@/ui/toasts";

import classes from "./room.module.css";

const refusalOf = (run: RunDetail): string | null => {
  if (runEnded(run.status)) return "The run has ended.";
  return run.cancel_requested_at === null ? null : "It was asked to stop already; below is what has stopped.";
};

export const CancelButton = ({ run }: { run: RunDetail }) => {
  const cancel = useCancel(run.id);
  const ask = async (): Promise<void> => {
    const yes = await confirm({
      title: "Cancel this run?",
      text: "Nothing more starts. Commands that are running are stopped on their targets; what they have done so far stays done.",
      verb: "Cancel the run",
      danger: true,
    });
    if (yes) cancel.mutate(undefined, { onError: (error) => toastProblem("The run could not be cancelled", error) });
  };
  return (
    <Allowed permission="runs:cancel" unless={refusalOf(run)}>
      <Button variant="light" color="red" loading={cancel.isPending} onClick={() => void ask()}>Cancel</Button>
    </Allowed>
  );
};

const SHOWN = 12;

const Places = ({ words, places }: { words: string; places: readonly string[] }) =>
  places.length === 0 ? null : (
    <li>
      <strong>{places.length}</strong> {words}: {places.slice(0, SHOWN).join(", ")}
      {places.length > SHOWN && ` and ${places.length - SHOWN} more`}
    </li>
  );

/** What a cancel has really done so far, task by task. */
export const CancelReport = ({ run, matrix }: { run: RunDetail; matrix: Matrix | undefined }) => {
  if (run.cancel_requested_at === null || !matrix) return null;
  const { stopped, stopping, unknown, finished, spared } = cancelReport(matrix, run.cancel_requested_at);
  const by = run.cancel_requested_by_name ?? run.cancel_requested_by;
  return (
    <div className={`${classes.notice} tone-${stopping.length > 0 || unknown.length > 0 ? "warn" : "off"}`} role="status" aria-label="What the cancel did">
      <p>
        {stopping.length > 0 ? "Being cancelled" : "Cancelled"}{by === null ? "" : ` by ${by}`}.
        {stopped.length + stopping.length + unknown.length === 0 && " Nothing was running."}
        {finished > 0 && ` ${finished} ended by themselves first.`}
        {spared > 0 && ` ${spared} never began.`}
      </p>
      <ul>
        <Places words="still stopping" places={stopping} />
        <Places words="stopped on the target, verified" places={stopped} />
        <Places words="unknown: look at the target, then say what you found" places={unknown} />
      </ul>
    </div>
  );
};
