import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { type ReactNode, useMemo } from "react";

import { useLive, usePolling } from "@/api/live-hooks";
import { useRefusal } from "@/api/me";
import { Allowed } from "@/ui/allowed";
import { useFilters } from "@/ui/filters";
import { Page } from "@/ui/page";
import { EmptyState, ErrorState, FilteredEmpty, Loading } from "@/ui/states/states";
import { DataTable } from "@/ui/table/data-table";
import type { RowAction } from "@/ui/table/row-menu";

import { type Job, jobsQuery } from "./api";
import { jobColumns } from "./jobs-columns";
import { JobsFilters } from "./jobs-filters";
import { useReadSoon } from "./read-soon";
import { openRunDialog } from "./run-dialog";
import { jobsSearch, SORTS } from "./search";

const SORT_APART = ["sort"];

const NewJob = () => (
  <Allowed permission="jobs:write">
    <Button component={Link} to="/jobs/new" leftSection={<Plus size={15} />}>New job</Button>
  </Allowed>
);

export const JobsPage = (): ReactNode => {
  const filters = useFilters(jobsSearch, SORT_APART);
  const navigate = useNavigate();
  const polling = usePolling();
  const options = jobsQuery(filters.values);
  const query = useInfiniteQuery({ ...options, refetchInterval: polling });
  const refusal = useRefusal("runs:start");
  const columns = useMemo(() => jobColumns(refusal), [refusal]);
  const jobs = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const readSoon = useReadSoon(options.queryKey);
  useLive("runs", { onEvents: readSoon, onReset: readSoon });

  const mayChange = useRefusal("jobs:write");
  const actions = (job: Job): RowAction[] => [
    { label: "Run… (r)", refusal, run: () => openRunDialog(job.id) },
    { label: "Open", run: () => void navigate({ to: "/jobs/$jobId", params: { jobId: job.id } }) },
    { label: "Show its runs", run: () => void navigate({ to: "/runs", search: { job: job.id } }) },
    { label: "Edit", refusal: mayChange, run: () => void navigate({ to: "/jobs/$jobId/edit", params: { jobId: job.id } }) },
    { label: "Copy…", refusal: mayChange, run: () => void navigate({ to: "/jobs/new", search: { copy: job.id } }) },
  ];

  const { fetchNextPage, hasNextPage, isFetchingNextPage } = query;
  const rows = (): ReactNode => {
    if (query.isPending) return <Loading label="Loading jobs" />;
    if (query.isError && jobs.length === 0) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
    if (jobs.length === 0)
      return filters.active ? (
        <FilteredEmpty what="jobs" onClear={filters.clear} />
      ) : (
        <EmptyState title="No job yet" action={<NewJob />} command="opsconductor jobs list">
          A job is a list of steps that run on targets: scripts, copies, waits. Build one here, as a form or as YAML.
        </EmptyState>
      );
    return (
      <DataTable
        label="Jobs"
        rows={jobs}
        columns={columns}
        idOf={(job) => job.id}
        onOpen={(job) => void navigate({ to: "/jobs/$jobId", params: { jobId: job.id } })}
        actions={actions}
        nameOf={(job) => job.name}
        sorting={{ by: filters.values.sort ?? null, onChange: (by) => filters.set({ sort: SORTS.find((known) => known === by) }) }}
        keys={{ r: (job) => { if (refusal === null) openRunDialog(job.id); } }}
        hasMore={hasNextPage}
        onEnd={() => { if (hasNextPage && !isFetchingNextPage) void fetchNextPage(); }}
      />
    );
  };

  return (
    <Page title="Jobs" actions={<NewJob />}>
      <JobsFilters filters={filters} count={`${jobs.length}${hasNextPage ? "+" : ""} shown`} />
      {rows()}
    </Page>
  );
};
