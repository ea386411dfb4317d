import { Button, MultiSelect, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { FilterBar } from "@/ui/filter-bar";
import type { Filters } from "@/ui/filters";
import { SavedFilters } from "@/ui/saved-filters/saved-filters";
import { RUN_STATUS } from "@/ui/status";
import { TypedFilter } from "@/ui/typed-filter";

import { jobNamesQuery } from "./api";
import { RUN_STATUSES, type RunsFilter, SINCE } from "./search";

const STATUS_CHOICES = RUN_STATUSES.map((value) => ({ value, label: RUN_STATUS[value].word }));

const SINCE_WORDS: Readonly<Record<(typeof SINCE)[number], string>> = { "1h": "Last hour", "24h": "Last 24 hours", "7d": "Last 7 days", "30d": "Last 30 days" };

export const RunsFilters = ({ filters, count }: { filters: Filters<RunsFilter>; count: string }) => {
  const jobs = useQuery(jobNamesQuery).data?.items ?? [];
  const { values, set } = filters;
  return (
    <FilterBar count={count} saved={<SavedFilters page="runs" filters={filters} />}>
      <TypedFilter aria-label="Job or run" placeholder="Job or run id…  ( / )" w={170} value={values.q} onChange={(q) => set({ q })} />
      <MultiSelect aria-label="Status" placeholder={values.status ? "" : "Any status"} w={210} clearable clearButtonProps={{ "aria-label": "Any status" }}
        data={STATUS_CHOICES} value={values.status ?? []}
        onChange={(status) => set({ status: status.length > 0 ? status : undefined })} />
      <Select aria-label="Job" placeholder="Any job" w={190} searchable clearable clearButtonProps={{ "aria-label": "Any job" }}
        data={jobs.map((job) => ({ value: job.id, label: job.name }))} value={values.job ?? null}
        onChange={(job) => set({ job: job ?? undefined })} />
      <TypedFilter aria-label="Target" placeholder="Target…" w={120} value={values.target} onChange={(target) => set({ target })} />
      <Select aria-label="Since" placeholder="Any time" w={140} clearable clearButtonProps={{ "aria-label": "Any time" }}
        data={SINCE.map((value) => ({ value, label: SINCE_WORDS[value] }))} value={values.since ?? null}
        onChange={(since) => set({ since: since ?? undefined })} />
      <Button variant={values.by === "me" ? "light" : "default"} aria-pressed={values.by === "me"} onClick={() => set({ by: values.by === "me" ? undefined : "me" })}>Mine</Button>
      {filters.active && <Button variant="subtle" onClick={filters.clear}>Clear</Button>}
    </FilterBar>
  );
};
