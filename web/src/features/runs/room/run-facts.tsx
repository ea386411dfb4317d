import { Link } from "@tanstack/react-router";

import { shortId } from "@/lib/ids";
import { Duration, Moment } from "@/ui/time";

import type { RunDetail } from "@/features/runs/api";
import type { Matrix } from "@/features/runs/matrix/model";
import { startedBy, TRIGGER } from "@/features/runs/trigger";

import classes from "./room.module.css";

/** The facts under the name: which run, of what, by whom, how long, how far. */
export const RunFacts = ({ run, matrix }: { run: RunDetail; matrix: Matrix | undefined }) => {
  const total = matrix?.rows.length ?? 0;
  const ok = matrix?.rows.filter(({ state }) => state === "succeeded").length ?? 0;
  return (
    <div className={classes.facts}>
      <span>run <span className="mono" title={run.id}>{shortId(run.id)}</span></span>
      <span>v{run.job_version}</span>
      <span title={TRIGGER[run.trigger].meaning}>{startedBy(run)}</span>
      <Moment at={run.started_at ?? run.requested_at} />
      <span title="How long it took"><Duration start={run.started_at} end={run.ended_at} /></span>
      {total > 0 && <strong>{ok.toLocaleString("en")}/{total.toLocaleString("en")} ok</strong>}
      {run.rerun_of !== null && (
        <span>
          again of <Link to="/runs/$runId" params={{ runId: run.rerun_of }} className="mono">{shortId(run.rerun_of)}</Link>
          {run.from_step !== null && ` from ${run.from_step}`}
        </span>
      )}
      {run.reason !== null && <span className={classes.reason}>{run.reason}</span>}
      {run.parked_by !== null && <span className={classes.reason}>Set aside by a dead letter: replay or discard it.</span>}
    </div>
  );
};
