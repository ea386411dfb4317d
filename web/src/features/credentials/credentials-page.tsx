import { Button, Select } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type ReactNode, useMemo } from "react";

import { useRefusal } from "@/api/me";
import { Allowed } from "@/ui/allowed";
import { useCommands } from "@/ui/commands";
import { FilterBar } from "@/ui/filter-bar";
import { useFilters } from "@/ui/filters";
import { Page } from "@/ui/page";
import { SavedFilters } from "@/ui/saved-filters/saved-filters";
import { EmptyState, ErrorState, FilteredEmpty, Loading } from "@/ui/states/states";
import { DataTable } from "@/ui/table/data-table";
import type { RowAction } from "@/ui/table/row-menu";
import { toastDone } from "@/ui/toasts";
import { TypedFilter } from "@/ui/typed-filter";

import { askCredential, type Credential, credentialsQuery } from "./api";
import { CREDENTIAL_COLUMNS } from "./columns";
import { useDeleting } from "./deleting";
import { credentialsSearch, SORTS } from "./search";
import { KINDS, TYPES } from "./types";

const SORT_APART = ["sort"];

export const CredentialsPage = (): ReactNode => {
  const filters = useFilters(credentialsSearch, SORT_APART);
  const { values, set } = filters;
  const navigate = useNavigate();
  const query = useInfiniteQuery(credentialsQuery(values));
  const refusal = useRefusal("credentials:write");
  const credentials = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const { deleting } = useDeleting();
  const open = (credential: Credential): void => void navigate({ to: "/credentials/$credentialId", params: { credentialId: credential.id } });
  const add = async (): Promise<void> => {
    const made = await askCredential(values.type ?? "ssh");
    if (made) toastDone(`${made.name} was saved.`);
  };
  useCommands(useMemo(() => [{ id: "credentials.add", label: "Add a credential", group: "Do", refusal, run: () => void add() }], [refusal])); // eslint-disable-line react-hooks/exhaustive-deps -- `add` only opens a dialog

  const actions = (credential: Credential): RowAction[] => [
    { label: "Open", run: () => open(credential) },
    { label: "Delete…", danger: true, refusal, run: () => void deleting(credential) },
  ];

  const rows = (): ReactNode => {
    if (query.isPending) return <Loading label="Loading credentials" />;
    if (query.isError && credentials.length === 0) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
    if (credentials.length === 0)
      return filters.active ? <FilteredEmpty what="credentials" onClear={filters.clear} /> : (
        <EmptyState title="No credentials yet" command="opsconductor create credential NAME --username root --secret password=prompt"
          action={<Allowed permission="credentials:write"><Button onClick={() => void add()}>Add a credential</Button></Allowed>}>
          A credential is the account that steps sign in with: a Windows account, an SSH key, a token. Its secret is sealed when it arrives and never shown again.
        </EmptyState>
      );
    return (
      <DataTable label="Credentials" rows={credentials} columns={CREDENTIAL_COLUMNS} idOf={(credential) => credential.id} onOpen={open}
        actions={actions} nameOf={({ name }) => name}
        sorting={{ by: values.sort ?? null, onChange: (by) => set({ sort: SORTS.find((known) => known === by) }) }}
        hasMore={query.hasNextPage} onEnd={() => { if (query.hasNextPage && !query.isFetchingNextPage) void query.fetchNextPage(); }} />
    );
  };

  return (
    <Page title="Credentials" actions={<Allowed permission="credentials:write"><Button onClick={() => void add()}>Add credential</Button></Allowed>}>
      <FilterBar count={`${credentials.length}${query.hasNextPage ? "+" : ""} shown`} saved={<SavedFilters page="credentials" filters={filters} />}>
        <TypedFilter aria-label="Name or user name" placeholder="Name or user name…  ( / )" w={220} value={values.name} onChange={(name) => set({ name })} />
        <Select aria-label="Kind" placeholder="Any kind" w={170} clearable clearButtonProps={{ "aria-label": "Any kind" }}
          data={TYPES.map((value) => ({ value, label: KINDS[value].label }))} value={values.type ?? null}
          onChange={(type) => set({ type: TYPES.find((known) => known === type) })} />
        <Button variant={values.held ? "light" : "default"} size="sm" aria-pressed={values.held !== undefined} onClick={() => set({ held: values.held ? undefined : "yes" })}>On hold</Button>
      </FilterBar>
      {rows()}
    </Page>
  );
};
