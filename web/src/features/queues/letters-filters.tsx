import { Select } from "@mantine/core";

import { FilterBar } from "@/ui/filter-bar";
import type { Filters } from "@/ui/filters";
import { SavedFilters } from "@/ui/saved-filters/saved-filters";
import { TypedFilter } from "@/ui/typed-filter";

import { LETTER_STATUSES, type QueuesSearch } from "./search";
import { LETTER_STATUS } from "./words";

const BESIDE = { show: "letters" };

export const LettersFilters = ({ filters, queues, count }: { filters: Filters<QueuesSearch>; queues: readonly string[]; count: string }) => {
  const { values, set } = filters;
  return (
    <FilterBar count={count} saved={<SavedFilters page="dlq" filters={filters} beside={BESIDE} />}>
      <TypedFilter aria-label="Text" placeholder="Message, error, id…  ( / )" w={220} value={values.q} onChange={(q) => set({ q })} />
      <Select aria-label="Status" w={130} allowDeselect={false} value={values.status ?? "open"}
        data={LETTER_STATUSES.map((value) => ({ value, label: LETTER_STATUS[value].word }))}
        onChange={(status) => set({ status: status === "open" ? undefined : (status ?? undefined), cause: undefined })} />
      <Select aria-label="Queue" placeholder="Any queue" w={240} clearable clearButtonProps={{ "aria-label": "Any queue" }}
        data={[...queues]} value={values.queue ?? null} onChange={(queue) => set({ queue: queue ?? undefined })} />
    </FilterBar>
  );
};
