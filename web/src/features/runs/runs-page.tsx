import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type ReactNode, useCallback, useMemo, useState } from "react";

import { shortId } from "@/lib/ids";
import { useFilters } from "@/ui/filters";
import { Page } from "@/ui/page";
import { EmptyState, ErrorState, FilteredEmpty, Loading } from "@/ui/states/states";
import { runEnded } from "@/api/run-status";
import { DataTable } from "@/ui/table/data-table";

import { runsQuery } from "./api";
import { BulkBar } from "./bulk-bar";
import { RUN_COLUMNS } from "./columns";
import { useLiveList } from "./live-list";
import { useRowActions } from "./row-actions";
import { RunsFilters } from "./runs-filters";
import { runsSearch } from "./search";

const NONE: ReadonlySet<string> = new Set();

export const RunsPage = (): ReactNode => {
  const filters = useFilters(runsSearch);
  const navigate = useNavigate();
  const query = useInfiniteQuery(runsQuery(filters.values));
  const [chosen, setChosen] = useState(NONE);
  const actions = useRowActions();
  const runs = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  useLiveList(filters.values, runs.some((run) => !runEnded(run.status)));

  const { fetchNextPage, hasNextPage, isFetchingNextPage } = query;
  const readOn = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [fetchNextPage, hasNextPage, isFetchingNextPage]);

  const rows = (): ReactNode => {
    if (query.isPending) return <Loading label="Loading runs" />;
    if (query.isError && runs.length === 0) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
    if (runs.length === 0)
      return filters.active ? (
        <FilteredEmpty what="runs" onClear={filters.clear} />
      ) : (
        <EmptyState title="Nothing has run yet" command="opsconductor run <job> --follow">
          Start a job, and its run appears here as it happens.
        </EmptyState>
      );
    return (
      <DataTable
        label="Runs"
        rows={runs}
        columns={RUN_COLUMNS}
        idOf={(run) => run.id}
        onOpen={(run) => void navigate({ to: "/runs/$runId", params: { runId: run.id } })}
        selection={{ chosen, onChange: setChosen }}
        actions={actions}
        nameOf={(run) => `${run.job_name}, run ${shortId(run.id)}`}
        hasMore={hasNextPage}
        onEnd={readOn}
      />
    );
  };

  return (
    <Page title="Runs">
      <RunsFilters filters={filters} count={`${runs.length}${hasNextPage ? "+" : ""} shown`} />
      <BulkBar chosen={runs.filter((run) => chosen.has(run.id))} filter={filters.values} filtered={filters.active && runs.length > 0} onDone={() => setChosen(NONE)} />
      {rows()}
    </Page>
  );
};
