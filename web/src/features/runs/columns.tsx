import { Link } from "@tanstack/react-router";

import { shortId } from "@/lib/ids";
import { legible } from "@/lib/text";
import { RunStatusBadge } from "@/ui/status-badge";
import type { Column } from "@/ui/table/data-table";
import { Ago, Duration, Moment } from "@/ui/time";

import type { Run } from "./api";
import { endedOf, RunProgress } from "./progress";
import { startedBy, TRIGGER } from "./trigger";

export const RUN_COLUMNS: readonly Column<Run>[] = [
  { id: "status", header: "Status", width: "124px", card: "mark", cell: (run) => <RunStatusBadge status={run.status} /> },
  {
    id: "job",
    header: "Job",
    width: "minmax(170px, 3fr)",
    card: "title",
    cell: (run) => (
      <>
        <Link to="/runs/$runId" params={{ runId: run.id }} title={run.job_name}>{legible(run.job_name)}</Link>{" "}
        <span className="quiet">v{run.job_version}</span>
      </>
    ),
  },
  { id: "run", header: "Run", width: "88px", from: 900, cell: (run) => <span className="mono" title={run.id}>{shortId(run.id)}</span> },
  { id: "progress", header: "Progress", width: "minmax(130px, 1fr)", from: 620, cell: (run) => <RunProgress progress={run.progress} /> },
  { id: "targets", header: "Targets", width: "72px", end: true, from: 1_400, cell: (run) => run.targets_count.toLocaleString("en") },
  { id: "trigger", header: "Why", width: "84px", from: 980, cell: (run) => <span title={TRIGGER[run.trigger].meaning}>{TRIGGER[run.trigger].word}</span> },
  { id: "by", header: "By", width: "minmax(80px, 1fr)", from: 760, cell: (run) => <span title={startedBy(run)}>{legible(run.requested_by_name ?? run.requested_by)}</span> },
  { id: "correlation", header: "Correlation", width: "108px", from: 1_180, cell: (run) => <span className="mono quiet" title={`Correlation id, also in the logs: ${run.correlation_id}`}>{shortId(run.correlation_id)}</span> },
  { id: "start", header: "Started", width: "236px", from: 480, cell: (run) => <Moment at={run.started_at ?? run.requested_at} /> },
  { id: "took", header: "Duration", width: "96px", end: true, from: 420, cell: (run) => <Duration start={run.started_at} end={run.ended_at} /> },
  // What a card says in its second line, in few words.
  { id: "card-ended", header: "Tasks", width: "0", from: Infinity, card: "note", cell: ({ progress }) => endedOf(progress) },
  { id: "card-start", header: "Started", width: "0", from: Infinity, card: "note", cell: (run) => <Ago at={run.started_at ?? run.requested_at} /> },
  { id: "card-took", header: "Duration", width: "0", from: Infinity, card: "note", cell: (run) => <Duration start={run.started_at} end={run.ended_at} /> },
  { id: "card-by", header: "By", width: "0", from: Infinity, card: "note", cell: (run) => legible(run.requested_by_name ?? run.requested_by) },
];
