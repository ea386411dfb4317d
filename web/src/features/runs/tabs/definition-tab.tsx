import { SegmentedControl } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { jobQuery } from "@/features/jobs/api";
import classes from "@/features/runs/room/room.module.css";
import { VersionDifference } from "@/features/runs/room/version-difference";
import { definitionQuery } from "@/features/runs/run-queries";
import { ErrorState, Loading } from "@/ui/states/states";
import { Moment } from "@/ui/time";

/** The version of the job this run follows, as it was saved, and what was changed in the job since. */
export const DefinitionTab = ({ runId }: { runId: string }) => {
  const { data, error, refetch } = useQuery(definitionQuery(runId));
  const job = useQuery({ ...jobQuery(data?.job_id ?? ""), enabled: data !== undefined && !data.current, retry: false });
  const [view, setView] = useState("ran");
  if (error) return <ErrorState error={error} onRetry={() => void refetch()} />;
  if (!data) return <Loading label="Loading the definition" />;
  const newest = job.data && job.data.version > data.version ? job.data.version : null;
  const since = newest !== null && newest - data.version > 1 ? `${newest - data.version} times` : "once";
  return (
    <div>
      <div className={classes.lists}>
        <strong>{data.job_name}, version {data.version}</strong>
        <span className="quiet">saved by {data.created_by_name ?? data.created_by}</span>
        <Moment at={data.created_at} />
        {data.message !== null && <span>“{data.message}”</span>}
        {data.current && <span className="status tone-ok">the newest version</span>}
        {newest !== null && (
          <>
            <span className="status tone-warn">changed {since} since</span>
            <SegmentedControl size="xs" ml="auto" value={view} onChange={setView} aria-label="Show"
              data={[{ value: "ran", label: "As it ran" }, { value: "difference", label: `What changed (v${data.version} → v${newest})` }]} />
          </>
        )}
        <Link to="/jobs/$jobId" params={{ jobId: data.job_id }} search={{ tab: "versions" }} style={newest === null ? { marginLeft: "auto" } : {}}>All versions</Link>
      </div>
      {newest !== null && view === "difference" ? (
        <VersionDifference jobId={data.job_id} ran={data.version} newest={newest} />
      ) : (
        <pre className={classes.source} tabIndex={0} aria-label="Definition">{data.source ?? JSON.stringify(data.definition, null, 2)}</pre>
      )}
    </div>
  );
};
