import { MultiSelect, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { Problem } from "@/lib/problem";
import { FilterBar } from "@/ui/filter-bar";
import type { Filters } from "@/ui/filters";
import { SavedFilters } from "@/ui/saved-filters/saved-filters";
import { NEVER_TESTED, TEST_STATUS } from "@/ui/status";
import { TypedFilter } from "@/ui/typed-filter";

import { OS_WORD } from "./addressing";
import { pickerQuery } from "./api";
import { tagWords } from "./form/draft";
import { TEST_FILTERS, type TargetsFilter } from "./search";

const TEST_CHOICES = TEST_FILTERS.map((value) => ({ value, label: value === "never" ? NEVER_TESTED.word : TEST_STATUS[value].word }));
const OS_CHOICES = (["linux", "windows"] as const).map((value) => ({ value, label: OS_WORD[value] }));

/** What the server says of a query it cannot read. */
const queryFault = (error: unknown): string | null =>
  error instanceof Problem ? (error.fields.find(({ field }) => field === "query")?.reason ?? null) : null;

export const TargetsFilters = ({ filters, count, error }: { filters: Filters<TargetsFilter>; count: string; error: unknown }) => {
  const picker = useQuery(pickerQuery).data;
  const { values, set } = filters;
  const tags = [...new Set([...(picker?.tags.flatMap((tag) => tagWords({ [tag.name]: tag.value })) ?? []), ...(values.tag ?? [])])];
  const pools = [...new Set([...(picker?.pools.map((pool) => pool.name) ?? []), ...(values.pool ? [values.pool] : [])])];
  return (
    <FilterBar count={count} saved={<SavedFilters page="targets" filters={filters} />}>
      <TypedFilter aria-label="Name" placeholder="Name…  ( / )" w={130} value={values.name} onChange={(name) => set({ name })} />
      <TypedFilter aria-label="Query" placeholder="tag:web !os:windows" w={190} classNames={{ input: "mono" }} spellCheck={false} value={values.query} error={queryFault(error)}
        onChange={(query) => set({ query })} />
      <Select aria-label="System" placeholder="Any system" w={124} clearable clearButtonProps={{ "aria-label": "Any system" }} data={OS_CHOICES} value={values.os ?? null}
        onChange={(os) => set({ os: os === "linux" || os === "windows" ? os : undefined })} />
      <MultiSelect aria-label="Tags" placeholder={values.tag ? "" : "Any tag"} w={150} searchable clearable clearButtonProps={{ "aria-label": "Any tag" }} data={tags} value={values.tag ?? []}
        onChange={(tag) => set({ tag: tag.length > 0 ? tag : undefined })} />
      <Select aria-label="Pool" placeholder="Any pool" w={110} clearable clearButtonProps={{ "aria-label": "Any pool" }} data={pools} value={values.pool ?? null}
        onChange={(pool) => set({ pool: pool ?? undefined })} />
      <Select aria-label="Last test" placeholder="Any last test" w={140} clearable clearButtonProps={{ "aria-label": "Any last test" }} data={TEST_CHOICES} value={values.test ?? null}
        onChange={(test) => set({ test: TEST_FILTERS.find((known) => known === test) })} />
    </FilterBar>
  );
};
