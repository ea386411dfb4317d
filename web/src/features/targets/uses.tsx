import { Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import type { Schemas } from "@/api/client";
import { legible } from "@/lib/text";
import { ErrorState, Loading } from "@/ui/states/states";

import { targetUsesQuery } from "./api";
import classes from "./targets.module.css";

export type TargetUses = Schemas["TargetUses"];

/** What fails without the target; what only asks for it by a query goes on with the others. */
export const needing = ({ jobs, behind }: TargetUses): number => jobs.filter(({ how }) => how === "named").length + behind.length;

const why = ({ how, places, query }: TargetUses["jobs"][number]): ReactNode =>
  how === "named" ? <>names it in <span className="mono">{places.join(", ")}</span></> : <>selects it by <span className="mono">{legible(query ?? "")}</span></>;

/** Jobs that name it or whose query selects it now, and targets that are reached through it. */
export const UsesList = ({ uses: { jobs, behind } }: { uses: TargetUses }) => (
  <ul className={classes.uses}>
    {jobs.map((job) => (
      <li key={job.id}><Link to="/jobs/$jobId" params={{ jobId: job.id }}>{legible(job.name)}</Link> <span className="quiet">{why(job)}</span></li>
    ))}
    {behind.map(({ id, name }) => (
      <li key={id}><Link to="/targets/$targetId" params={{ targetId: id }}>{legible(name)}</Link> <span className="quiet">is reached through it</span></li>
    ))}
  </ul>
);

export const UsedBy = ({ targetId }: { targetId: string }) => {
  const query = useQuery(targetUsesQuery(targetId));
  if (query.isPending) return <Loading rows={2} label="Loading what uses it" />;
  if (query.isError) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  if (query.data.jobs.length + query.data.behind.length === 0)
    return <Text c="dimmed">No job names it or selects it by a query. Runs may still be started on it by name.</Text>;
  return <UsesList uses={query.data} />;
};
