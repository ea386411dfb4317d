import { Button } from "@mantine/core";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { type ReactNode, useMemo, useState } from "react";

import { useRefusal } from "@/api/me";
import { Allowed } from "@/ui/allowed";
import { type Command, useCommands } from "@/ui/commands";
import { useFilters } from "@/ui/filters";
import { Page } from "@/ui/page";
import { EmptyState, ErrorState, FilteredEmpty, Loading } from "@/ui/states/states";
import { DataTable } from "@/ui/table/data-table";
import type { RowAction } from "@/ui/table/row-menu";
import { toastProblem } from "@/ui/toasts";

import { type Target, targetKeys, targetsQuery, testMany } from "./api";
import { BulkBar } from "./bulk-bar";
import { TARGET_COLUMNS } from "./columns";
import { useDeleting } from "./deleting";
import { TargetDrawer } from "./form/target-drawer";
import { SORTS, targetsSearch } from "./search";
import { TargetsFilters } from "./targets-filters";

const NONE: ReadonlySet<string> = new Set();
const SORT_APART = ["sort"];
const LOOK_MS = 1_500;

const beingTested = ({ last_test }: Target): boolean => last_test?.status === "requested" || last_test?.status === "running";

export const TargetsPage = (): ReactNode => {
  const filters = useFilters(targetsSearch, SORT_APART);
  const navigate = useNavigate();
  const queries = useQueryClient();
  const query = useInfiniteQuery({
    ...targetsQuery(filters.values),
    refetchInterval: ({ state }) => (state.data?.pages.some((page) => page.items.some(beingTested)) ? LOOK_MS : false),
  });
  const [chosen, setChosen] = useState(NONE);
  const [adding, setAdding] = useState(false);
  const refusal = useRefusal("targets:write");
  const mayTest = useRefusal("targets:test");
  const targets = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const test = useMutation({
    mutationFn: ({ id }: Target) => testMany([id]),
    onError: (error) => toastProblem("No test was started", error),
    onSettled: () => queries.invalidateQueries({ queryKey: targetKeys.lists }),
  });
  useCommands(useMemo<Command[]>(() => [
    { id: "targets.add", label: "Add a target", group: "Do", refusal, run: () => setAdding(true) },
    { id: "targets.import", label: "Import targets from CSV", group: "Do", refusal, run: () => void navigate({ to: "/targets/import" }) },
  ], [refusal, navigate]));
  const { deleting } = useDeleting();
  const open = (target: Target): void => void navigate({ to: "/targets/$targetId", params: { targetId: target.id } });
  const add = <Allowed permission="targets:write"><Button onClick={() => setAdding(true)}>Add target</Button></Allowed>;

  const actions = (target: Target): RowAction[] => [
    { label: "Open", run: () => open(target) },
    { label: "Test the connection (t)", refusal: mayTest, run: () => test.mutate(target) },
    { label: "Show its runs", run: () => void navigate({ to: "/runs", search: { target: target.name } }) },
    { label: "Delete…", refusal, danger: true, run: () => void deleting([target]) },
  ];

  const rows = (): ReactNode => {
    if (query.isPending) return <Loading label="Loading targets" />;
    if (query.isError && targets.length === 0) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
    if (targets.length === 0)
      return filters.active ? <FilteredEmpty what="targets" onClear={filters.clear} /> : (
        <EmptyState title="No machines yet" command="opsconductor targets import machines.csv" action={add}>
          A target is a machine that steps run on: Windows over WinRM, Linux over SSH. Nothing is installed there. <Link to="/welcome">Show me the first steps</Link>
        </EmptyState>
      );
    return (
      <DataTable label="Targets" rows={targets} columns={TARGET_COLUMNS} idOf={(target) => target.id} onOpen={open} selection={{ chosen, onChange: setChosen }}
        keys={{ t: (target) => { if (mayTest === null) test.mutate(target); } }} actions={actions} nameOf={({ name }) => name}
        sorting={{ by: filters.values.sort ?? null, onChange: (by) => filters.set({ sort: SORTS.find((known) => known === by) }) }}
        hasMore={query.hasNextPage} onEnd={() => { if (query.hasNextPage && !query.isFetchingNextPage) void query.fetchNextPage(); }} />
    );
  };

  return (
    <Page title="Targets" actions={
      <>
        <Button variant="default" component={Link} to="/targets/import">Import CSV…</Button>
        {add}
      </>
    }>
      <TargetsFilters filters={filters} error={query.error} count={`${targets.length}${query.hasNextPage ? "+" : ""} shown`} />
      <BulkBar targets={targets.filter((target) => chosen.has(target.id))} onDone={() => setChosen(NONE)} />
      {rows()}
      <TargetDrawer opened={adding} edited={null} onClose={() => setAdding(false)} onOpen={open} />
    </Page>
  );
};
