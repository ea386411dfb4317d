import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";

import { useLive, usePolling } from "@/api/live-hooks";
import { shortId } from "@/lib/ids";
import { EmptyState, ErrorState, Loading } from "@/ui/states/states";
import { RunStatusBadge } from "@/ui/status-badge";
import { type Column, DataTable } from "@/ui/table/data-table";
import { Duration, Moment } from "@/ui/time";

import { lastRunsQuery, type Run } from "./api";
import { useReadSoon } from "./read-soon";

const COLUMNS: readonly Column<Run>[] = [
  { id: "status", header: "Status", width: "124px", cell: (run) => <RunStatusBadge status={run.status} /> },
  { id: "run", header: "Run", width: "100px", cell: (run) => <Link to="/runs/$runId" params={{ runId: run.id }} className="mono" title={run.id}>{shortId(run.id)}</Link> },
  { id: "version", header: "Version", width: "76px", from: 520, cell: (run) => `v${run.job_version}` },
  { id: "why", header: "Why", width: "96px", from: 860, cell: (run) => run.trigger },
  { id: "by", header: "By", width: "minmax(80px, 1fr)", from: 620, cell: (run) => run.requested_by_name ?? run.requested_by },
  { id: "note", header: "What happened", width: "minmax(100px, 2fr)", from: 980, cell: (run) => <span className="cut" title={run.reason ?? ""}>{run.reason}</span> },
  { id: "start", header: "Started", width: "236px", from: 480, cell: (run) => <Moment at={run.started_at ?? run.requested_at} /> },
  { id: "took", header: "Duration", width: "96px", end: true, cell: (run) => <Duration start={run.started_at} end={run.ended_at} /> },
];

/** The runs of one job, the newest first. */
export const JobRuns = ({ jobId }: { jobId: string }) => {
  const navigate = useNavigate();
  const polling = usePolling();
  const options = lastRunsQuery(jobId);
  const query = useInfiniteQuery({ ...options, refetchInterval: polling });
  const readSoon = useReadSoon(options.queryKey);
  useLive("runs", { onEvents: readSoon, onReset: readSoon });
  if (query.isPending) return <Loading label="Loading runs" />;
  if (query.isError) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  const runs = query.data.pages.flatMap((page) => page.items);
  if (runs.length === 0) return <EmptyState title="It never ran">Press Run, and its first run appears here.</EmptyState>;
  return (
    <DataTable label="Runs of this job" rows={runs} columns={COLUMNS} idOf={(run) => run.id} hasMore={query.hasNextPage}
      onEnd={() => { if (query.hasNextPage && !query.isFetchingNextPage) void query.fetchNextPage(); }}
      onOpen={(run) => void navigate({ to: "/runs/$runId", params: { runId: run.id } })} />
  );
};
