import { Button, Group, Paper, Text } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type ReactNode, useMemo, useState } from "react";

import { SLOWLY_MS, useFreshness } from "@/api/freshness";
import { useRefusal } from "@/api/me";
import { Allowed } from "@/ui/allowed";
import type { Filters } from "@/ui/filters";
import { EmptyState, ErrorState, FilteredEmpty, Loading } from "@/ui/states/states";
import { DataTable } from "@/ui/table/data-table";
import { useEveryPage } from "@/ui/table/every-page";

import { groupsQuery, lettersKey, lettersQuery } from "./api";
import { DiscardDialog, useDeciding } from "./deciding";
import { Groups } from "./groups";
import { LETTER_COLUMNS } from "./letter-columns";
import { LettersFilters } from "./letters-filters";
import type { QueuesSearch } from "./search";
import { causeOf, fits } from "./words";

const NONE: ReadonlySet<string> = new Set();

export const Letters = ({ filters }: { filters: Filters<QueuesSearch> }): ReactNode => {
  const { values, set } = filters;
  const navigate = useNavigate();
  const status = values.status ?? "open";
  const query = useInfiniteQuery({ ...lettersQuery(status), refetchInterval: SLOWLY_MS });
  useFreshness("dlq", lettersKey);
  const group = useQuery(groupsQuery).data?.find((each) => causeOf(each) === values.cause);
  const narrowed = values.cause !== undefined || values.queue !== undefined || values.q !== undefined;
  useEveryPage(query, narrowed);
  const all = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const shown = all.filter((letter) => fits(letter, values, group));
  const [chosen, setChosen] = useState(NONE);
  const picked = shown.filter(({ id }) => chosen.has(id)).map(({ id }) => id);
  const { replay, discard, discarding, setDiscarding, isPending } = useDeciding((refused) => setChosen(new Set(refused))); // what was refused can be given up at once
  const refusal = useRefusal("deadletters:write");
  const mayDecide = refusal === null && status === "open";

  const rows = (): ReactNode => {
    if (query.isPending) return <Loading label="Loading dead letters" />;
    if (query.isError && all.length === 0) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
    if (all.length === 0 && status === "open" && !narrowed)
      return (
        <EmptyState title="No dead letters" command="opsconductor dlq list">
          A message that no worker can handle lands here, with what it was about standing still until somebody decides.
        </EmptyState>
      );
    if (shown.length === 0) return <FilteredEmpty what="dead letters" onClear={filters.clear} />;
    return (
      <DataTable label="Dead letters" rows={shown} columns={LETTER_COLUMNS} idOf={({ id }) => id}
        onOpen={({ id }) => void navigate({ to: "/queues/letters/$letterId", params: { letterId: id } })}
        selection={{ chosen, onChange: setChosen }}
        keys={mayDecide ? { r: ({ id }) => void replay([id]), d: ({ id }) => setDiscarding([id]) } : {}}
        hasMore={query.hasNextPage} onEnd={() => { if (!query.isFetchingNextPage) void query.fetchNextPage(); }} />
    );
  };

  const decided = status === "open" ? null : "These are decided already.";
  return (
    <>
      <LettersFilters filters={filters} queues={[...new Set(all.map(({ queue }) => queue))].sort()} count={`${shown.length}${query.hasNextPage ? "+" : ""} shown`} />
      {status === "open" && <Groups chosen={values.cause} onChoose={(cause) => set({ cause })} />}
      {picked.length > 0 && (
        <Paper withBorder px="sm" py={6} mb="xs">
          <Group gap="xs">
            <Text fw={600} size="sm" aria-live="polite">{picked.length} selected</Text>
            <Allowed permission="deadletters:write" unless={decided}>
              <Button variant="default" loading={isPending} onClick={() => void replay(picked)}>Replay</Button>
            </Allowed>
            <Allowed permission="deadletters:write" unless={decided}>
              <Button variant="light" color="red" onClick={() => setDiscarding(picked)}>Discard…</Button>
            </Allowed>
            <Button variant="subtle" onClick={() => setChosen(NONE)}>Clear selection</Button>
          </Group>
        </Paper>
      )}
      {rows()}
      {discarding && <DiscardDialog ids={discarding} onClose={() => setDiscarding(null)} onDiscard={discard} />}
    </>
  );
};
