import { Button, Title } from "@mantine/core";
import { useState } from "react";

import type { RunDetail } from "@/features/runs/api";
import type { Chosen } from "@/features/runs/matrix/matrix-row";
import { type Matrix, targetsLike } from "@/features/runs/matrix/model";
import type { FailureGroup, Failures } from "@/features/runs/run-queries";
import { runEnded } from "@/api/run-status";
import { Later } from "@/ui/later";
import { Allowed } from "@/ui/allowed";
import { CauseLink } from "@/ui/cause-link";
import { TASK_STATE } from "@/ui/status";
import { StatusMark } from "@/ui/status-badge";

import classes from "./room.module.css";
import { useAgain } from "./use-again";

const load = () => import("./resolve-dialog");

const SHOWN = 8;

interface Props {
  run: RunDetail;
  matrix: Matrix | undefined;
  failures: Failures | undefined;
  onChoose: (chosen: Chosen) => void;
}

const Group = ({ group, run, matrix, onChoose }: { group: FailureGroup } & Omit<Props, "failures">) => {
  const again = useAgain(run.id);
  const [resolving, setResolving] = useState(false);
  const all = group.count > group.targets.length && matrix ? targetsLike(matrix, group) : group.targets;
  const open = group.state === "unknown" && group.resolved < group.count;
  return (
    <li className={classes.group}>
      <span className={classes.count} title={`${group.count} tasks`}>{group.count}×</span>
      <div>
        <StatusMark look={TASK_STATE[group.state]} />{" "}
        <strong>{group.step}</strong> {group.code === null ? <span className="quiet mono">{group.state}</span> : <CauseLink code={group.code} />}
        {group.exit_code !== null && group.exit_code !== 0 && <span className="quiet mono"> {group.exit_code}</span>}
        {group.resolved > 0 && <span className="quiet"> · {group.resolved} of {group.count} settled</span>}
        <div className={classes.message}>{group.message ?? group.pattern}</div>
        {group.hint !== null && <div className={classes.hint}>{group.hint}</div>}
        <div className={classes.targets}>
          {group.targets.slice(0, SHOWN).map((target) => (
            <button key={target} type="button" className={classes.target} title={`The log of ${group.step} on ${target}`} onClick={() => onChoose({ t: target, s: group.step })}>{target}</button>
          ))}
          {group.count > SHOWN && <span className="quiet">and {group.count - Math.min(SHOWN, group.targets.length)} more</span>}
        </div>
      </div>
      <div className={classes.actions}>
        {open && (
          <Allowed permission="runs:resolve">
            <Button size="compact-xs" variant="light" onClick={() => setResolving(true)}>Resolve…</Button>
          </Allowed>
        )}
        {all.length > 0 && (
          <Allowed permission="runs:start" unless={runEnded(run.status) ? null : "Wait until the run has ended."}>
            <Button size="compact-xs" variant="default" loading={again.pending} onClick={() => again.start({ targets: [...all] })}>Re-run these ({all.length})</Button>
          </Allowed>
        )}
      </div>
      {resolving && (
        <Later name="The form to settle it" load={load} onGiveUp={() => setResolving(false)}>
          {(ResolveDialog) => <ResolveDialog runId={run.id} tasks={group.task_ids} place={`${group.step} on ${group.targets.join(", ") || "no target"}`} onClose={() => setResolving(false)} />}
        </Later>
      )}
    </li>
  );
};

/** What went wrong, the same causes together, with what to do about each. */
export const FailuresPanel = ({ failures, ...props }: Props) => {
  if (!failures || failures.items.length === 0) return null;
  return (
    <section className={classes.failures} aria-label="Failures by cause">
      <header>
        <Title order={2} size="h3">Failures by cause</Title>
        <span className="quiet">{failures.total} {failures.total === 1 ? "task" : "tasks"}, {failures.items.length} {failures.items.length === 1 ? "cause" : "causes"}{failures.truncated ? ", the first ones" : ""}</span>
      </header>
      <ul style={{ margin: 0, padding: 0, listStyle: "none" }}>
        {failures.items.map((group) => <Group key={`${group.step} ${group.state} ${group.code ?? ""} ${group.pattern}`} group={group} {...props} />)}
      </ul>
    </section>
  );
};
