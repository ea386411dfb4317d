import { Select } from "@mantine/core";

import { FilterBar } from "@/ui/filter-bar";
import type { Filters } from "@/ui/filters";
import { SavedFilters } from "@/ui/saved-filters/saved-filters";
import { TypedFilter } from "@/ui/typed-filter";

import type { JobsFilter } from "./search";

const ACTIVITY = [{ value: "yes", label: "Active" }, { value: "no", label: "Inactive" }];

export const JobsFilters = ({ filters, count }: { filters: Filters<JobsFilter>; count: string }) => {
  const { values, set } = filters;
  return (
    <FilterBar count={count} saved={<SavedFilters page="jobs" filters={filters} />}>
      <TypedFilter aria-label="Name" placeholder="Name…  ( / )" w={220} value={values.name} onChange={(name) => set({ name })} />
      <Select aria-label="State" placeholder="Any state" w={130} clearable clearButtonProps={{ "aria-label": "Any state" }}
        data={ACTIVITY} value={values.active ?? null}
        onChange={(active) => set({ active: active === "yes" || active === "no" ? active : undefined })} />
    </FilterBar>
  );
};
