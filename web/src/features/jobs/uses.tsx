import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { count } from "@/lib/span";
import { legible } from "@/lib/text";
import { ErrorState, Loading } from "@/ui/states/states";
import { Ago } from "@/ui/time";

import { jobUsesQuery } from "./api";
import classes from "./jobs.module.css";

const SHOWN = 5;

/** What refers to a job: its runs, version by version, and filters that people keep to watch it. */
export const JobUses = ({ jobId, current }: { jobId: string; current: number }) => {
  const query = useQuery(jobUsesQuery(jobId));
  if (query.isPending) return <Loading rows={2} label="Loading what refers to it" />;
  if (query.isError) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  const { versions, filters } = query.data;
  if (versions.length + filters.length === 0) return <span className="quiet">Nothing refers to it yet.</span>;
  return (
    <dl className={classes.facts}>
      {versions.slice(0, SHOWN).map(({ version, runs, open, last_at }) => (
        <div key={version} style={{ display: "contents" }}>
          <dt>v{version}{version === current ? ", current" : ""}</dt>
          <dd>
            <Link to="/jobs/$jobId" params={{ jobId }} search={{ tab: "runs" }}>{count(runs, "run")}</Link>
            <span className="quiet">{open > 0 ? `, ${open} under way` : ""}, the last <Ago at={last_at} /></span>
          </dd>
        </div>
      ))}
      {versions.length > SHOWN && <><dt /><dd className="quiet">and {count(versions.length - SHOWN, "earlier version")}</dd></>}
      {filters.map(({ id, name, shared, owner_name }) => (
        <div key={id} style={{ display: "contents" }}>
          <dt>Kept filter</dt>
          <dd><Link to="/runs" search={{ view: id }}>{legible(name)}</Link>{shared && <span className="quiet"> shared by {legible(owner_name)}</span>}</dd>
        </div>
      ))}
    </dl>
  );
};
