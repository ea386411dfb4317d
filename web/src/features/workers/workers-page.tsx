import { Alert } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { SLOWLY_MS, useFreshness } from "@/api/freshness";
import { usePolling } from "@/api/live-hooks";
import { count } from "@/lib/span";
import { useFilters } from "@/ui/filters";
import { Grid } from "@/ui/grid";
import { Page } from "@/ui/page";
import { EmptyState, ErrorState, FilteredEmpty, Loading } from "@/ui/states/states";

import { poolsQuery, workersKey, workersQuery } from "./api";
import { WORKER_COLUMNS } from "./columns";
import { distinct, fits, slotsOf, unserved } from "./model";
import { workersSearch } from "./search";
import classes from "./workers.module.css";
import { WorkersFilters } from "./workers-filters";

const UnservedPools = () => {
  const reasons = (useQuery({ ...poolsQuery, refetchInterval: SLOWLY_MS }).data ?? []).map(unserved).filter((reason) => reason !== null);
  if (reasons.length === 0) return null;
  return (
    <div className={classes.alerts}>
      {reasons.map((reason) => <Alert key={reason} color="red" variant="light" p="xs">{reason}</Alert>)}
    </div>
  );
};

export const WorkersPage = (): ReactNode => {
  const filters = useFilters(workersSearch);
  const polling = usePolling();
  const query = useQuery({ ...workersQuery, refetchInterval: polling === false ? SLOWLY_MS : polling });
  useFreshness("workers", workersKey);
  const workers = query.data?.workers ?? [];
  const shown = workers.filter((worker) => fits(worker, filters.values));

  const { free, all } = slotsOf(workers);

  const rows = (): ReactNode => {
    if (query.isPending) return <Loading label="Loading workers" />;
    if (query.isError && workers.length === 0) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
    if (workers.length === 0)
      return (
        <EmptyState title="No executor runs" command="opsconductor worker orchestrator executor caretaker">
          Runs are accepted, but nothing carries them out until a worker process starts. Give it the database and the broker
          (OPS_DATABASE_URL, OPS_AMQP_URL) and the private key that opens credentials; OPS_POOLS names the pools it serves. On one
          machine, <span className="mono">opsconductor up</span> starts everything.
        </EmptyState>
      );
    if (shown.length === 0) return <FilteredEmpty what="workers" onClear={filters.clear} />;
    return (
      <div className={classes.frame}>
        <Grid label="Workers" columns={WORKER_COLUMNS} rows={shown} idOf={(worker) => worker.id} />
      </div>
    );
  };

  return (
    <Page title="Workers">
      <WorkersFilters filters={filters} roles={distinct(workers.map((worker) => worker.roles))}
        pools={distinct(workers.map((worker) => worker.pools))} count={`${count(shown.length, "process", "processes")} · ${free.toLocaleString("en")} of ${count(all, "slot")} free`} />
      <UnservedPools />
      {rows()}
    </Page>
  );
};
