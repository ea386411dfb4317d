import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { usePolling } from "@/api/live-hooks";
import { legible } from "@/lib/text";
import { Meter, type MeterPart } from "@/ui/meter";
import { Panel } from "@/ui/panel";
import { ErrorState, Loading } from "@/ui/states/states";
import { RunStatusBadge } from "@/ui/status-badge";

import { type OpenRun, openRunsQuery } from "./api";
import classes from "./dashboard.module.css";

const BUSY_MS = 3_000;

const partsOf = ({ progress: p }: OpenRun): { parts: MeterPart[]; total: number; ended: number } => {
  const parts: MeterPart[] = [
    { tone: "ok", count: p.succeeded, word: "succeeded" },
    { tone: "bad", count: p.failed + p.timed_out, word: "failed" },
    { tone: "odd", count: p.unknown, word: "unknown" },
    { tone: "off", count: p.skipped + p.cancelled, word: "skipped or cancelled" },
  ];
  const ended = parts.reduce((total, part) => total + part.count, 0);
  const running: MeterPart = { tone: "busy", count: p.running, word: "running" };
  return { parts: [...parts, running], total: ended + running.count + p.ready + p.pending, ended };
};

const Row = ({ run }: { run: OpenRun }) => {
  const { parts, total, ended } = partsOf(run);
  return (
    <li className={classes.run}>
      <RunStatusBadge status={run.status} />
      <Link to="/runs/$runId" params={{ runId: run.id }} className="cut" title={legible(run.job_name)}>{legible(run.job_name)}</Link>
      <Meter parts={parts} total={total} words={total > 0 ? `${ended} / ${total}` : "not planned yet"} />
    </li>
  );
};

export const OpenRuns = ({ open }: { open: number }) => {
  const polling = usePolling();
  const query = useQuery({ ...openRunsQuery, refetchInterval: polling === false ? (open > 0 ? BUSY_MS : false) : polling });
  const runs = query.data?.items ?? [];
  return (
    <Panel title="Running now">
      {query.isPending ? (
        <Loading rows={3} label="Loading what runs" />
      ) : query.isError && runs.length === 0 ? (
        <ErrorState error={query.error} onRetry={() => void query.refetch()} />
      ) : runs.length === 0 ? (
        <p className={classes.calm}>Nothing is running.</p>
      ) : (
        <ul className={classes.rows}>{runs.map((run) => <Row key={run.id} run={run} />)}</ul>
      )}
    </Panel>
  );
};
