import { Link } from "@tanstack/react-router";

import type { Column } from "@/ui/table/data-table";
import { StatusMark } from "@/ui/status-badge";
import { Ago } from "@/ui/time";

import type { Job } from "./api";
import { ACTIVE, INACTIVE } from "./activity";
import classes from "./jobs.module.css";
import { seconds, successOf } from "./lately";
import { openRunDialog } from "./run-dialog";
import { RunDots } from "./run-dots";

const RunCell = ({ job, refusal }: { job: Job; refusal: string | null }) => (
  <button type="button" className={classes.rowButton} aria-label={`Run ${job.name}`} title={refusal ?? "Run it (r)"}
    {...(refusal === null ? { onClick: () => openRunDialog(job.id) } : { "aria-disabled": true })}>
    Run
  </button>
);

/** `refusal` is why this person may start nothing. */
export const jobColumns = (refusal: string | null): readonly Column<Job>[] => [
  {
    id: "name", header: "Job", width: "minmax(170px, 3fr)", sort: "name", card: "title",
    cell: (job) => (
      <span className={classes.name}>
        <Link to="/jobs/$jobId" params={{ jobId: job.id }} title={job.name} className="cut">{job.name}</Link>
        <span className="quiet cut" title={job.description ?? ""}>{job.description}</span>
      </span>
    ),
  },
  { id: "dots", header: "Last runs", width: "256px", from: 780, card: "note", cell: (job) => <RunDots runs={job.lately.runs} /> },
  { id: "success", header: "Success", width: "76px", end: true, from: 820, cell: (job) => <span title={`${job.lately.succeeded} of the last ${job.lately.ended} that ended`}>{successOf(job.lately)}</span> },
  { id: "p50", header: "p50", width: "84px", end: true, from: 980, cell: (job) => seconds(job.lately.p50_seconds) },
  { id: "p95", header: "p95", width: "84px", end: true, from: 980, cell: (job) => seconds(job.lately.p95_seconds) },
  { id: "active", header: "State", width: "96px", from: 560, card: "mark", cell: (job) => <StatusMark look={job.active ? ACTIVE : { ...INACTIVE, meaning: job.inactive_reason ?? INACTIVE.meaning }} /> },
  { id: "version", header: "Version", width: "72px", end: true, from: 1080, cell: (job) => `v${job.version}` },
  { id: "changed", header: "Changed", width: "minmax(120px, 1fr)", from: 1180, cell: (job) => <span className="cut"><Ago at={job.updated_at} /> <span className="quiet">{job.updated_by_name ?? ""}</span></span> },
  { id: "run", header: "Run", width: "72px", end: true, cell: (job) => <RunCell job={job} refusal={refusal} /> },
];
