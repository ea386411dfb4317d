import { Select } from "@mantine/core";

import { FilterBar } from "@/ui/filter-bar";
import type { Filters } from "@/ui/filters";

import { WORKER_STATE } from "./model";
import { WORKER_STATES, type WorkersFilter } from "./search";

export const WorkersFilters = ({ filters: { values, set }, roles, pools, count }: {
  filters: Filters<WorkersFilter>;
  roles: readonly string[];
  pools: readonly string[];
  count: string;
}) => (
  <FilterBar count={count}>
    <Select aria-label="State" placeholder="Any state" w={140} clearable clearButtonProps={{ "aria-label": "Any state" }}
      data={WORKER_STATES.map((value) => ({ value, label: WORKER_STATE[value].word }))} value={values.state ?? null}
      onChange={(state) => set({ state: state ?? undefined })} />
    <Select aria-label="Role" placeholder="Any role" w={160} clearable clearButtonProps={{ "aria-label": "Any role" }}
      data={[...roles]} value={values.role ?? null} onChange={(role) => set({ role: role ?? undefined })} />
    <Select aria-label="Pool" placeholder="Any pool" w={160} clearable clearButtonProps={{ "aria-label": "Any pool" }}
      data={[...pools]} value={values.pool ?? null} onChange={(pool) => set({ pool: pool ?? undefined })} />
  </FilterBar>
);
