import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { runEnded } from "@/api/run-status";
import type { RunDetail } from "@/features/runs/api";
import { type Attempt, type Task, taskQuery } from "@/features/runs/run-queries";
import { Later } from "@/ui/later";
import { Allowed } from "@/ui/allowed";
import { CauseLink } from "@/ui/cause-link";
import { TaskStateBadge } from "@/ui/status-badge";
import { Duration } from "@/ui/time";

import classes from "./room.module.css";
import { useAgain } from "./use-again";

const load = () => import("./resolve-dialog");

const attemptWords = ({ truncated, output_incomplete, reattached, losses }: Attempt): string[] => [
  ...(truncated ? ["Its output was longer than is kept: the middle is left out, marked in the log."] : []),
  ...(output_incomplete ? ["Some of its output is missing, marked in the log."] : []),
  ...(losses > 0 ? [`Its worker was lost ${losses === 1 ? "once" : `${losses} times`}${reattached > 0 ? " and another took the command over" : ""}.`] : []),
];

const Facts = ({ task }: { task: Task }) => {
  const last = task.attempts.at(-1);
  return (
    <>
      <TaskStateBadge state={task.state} />
      <span><strong>{task.step}</strong>{task.target !== null && <> on {task.target}</>}</span>
      {task.exit_code !== null && <span>exit code <span className="mono">{task.exit_code}</span></span>}
      {task.max_attempts > 1 && <span>attempt {task.attempt} of {task.max_attempts}</span>}
      {task.started_at !== null && <span title="How long it took"><Duration start={task.started_at} end={task.ended_at} /></span>}
      {last?.worker_host && <span className="quiet">by {last.worker_host}</span>}
      {last?.credential_name && <span className="quiet">as {last.credential_name} v{last.credential_version}</span>}
    </>
  );
};

/** What became of the one task whose log is shown, and what can be done about it. */
export const TaskStrip = ({ run, taskId }: { run: RunDetail; taskId: string }) => {
  const { data: task } = useQuery(taskQuery(taskId));
  const again = useAgain(run.id);
  const [resolving, setResolving] = useState(false);
  if (!task) return null;
  const words = [
    ...(task.waiting_for === null ? [] : [`Waits for ${task.waiting_for}.`]),
    ...(task.error === null ? [] : [task.error.message, ...(task.error.hint === null ? [] : [task.error.hint])]),
    ...task.attempts.slice(-1).flatMap(attemptWords),
    ...(task.resolution === null ? [] : [`Settled as ${task.resolution.verdict} by ${task.resolved_by_name ?? task.resolution.resolved_by}: ${task.resolution.reason}`]),
  ];
  return (
    <div className={classes.task} aria-label="The chosen task" role="group">
      <Facts task={task} />
      <span className={classes.grow}>{words.join(" ")}{task.error !== null && <> <CauseLink code={task.error.code} /></>}</span>
      {task.state === "unknown" && task.resolution === null && (
        <Allowed permission="runs:resolve">
          <Button size="compact-xs" variant="light" onClick={() => setResolving(true)}>Resolve…</Button>
        </Allowed>
      )}
      <Allowed permission="runs:start" unless={runEnded(run.status) ? null : "Wait until the run has ended."}>
        <Button size="compact-xs" variant="default" loading={again.pending}
          onClick={() => again.start({ from_step: task.step, ...(task.target === null ? {} : { targets: [task.target] }) })}>
          Re-run from here
        </Button>
      </Allowed>
      {resolving && (
        <Later name="The form to settle it" load={load} onGiveUp={() => setResolving(false)}>
          {(ResolveDialog) => <ResolveDialog runId={run.id} tasks={[task.task_id]} place={`${task.step}${task.target === null ? "" : ` on ${task.target}`}`} onClose={() => setResolving(false)} />}
        </Later>
      )}
    </div>
  );
};
