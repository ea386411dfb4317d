import { ActionIcon, Button, Group, Menu, Text } from "@mantine/core";
import { Bookmark, Home, Link2, Pencil, Save, Trash2 } from "lucide-react";
import { useState } from "react";

import { type FilterPage, type SavedFilter, useChangeFilter, useForgetFilter, useOpenWith } from "@/api/saved-filters";
import { copyText } from "@/lib/clipboard";
import { legible } from "@/lib/text";
import { confirm } from "@/ui/confirm";
import type { Filters } from "@/ui/filters";
import { toastDone, toastProblem } from "@/ui/toasts";

import { ChangeDialog, KeepDialog, MissingNote } from "./dialogs";
import { linkOf } from "./model";
import { useView } from "./use-view";

const asked = async ({ name, shared }: SavedFilter): Promise<boolean> =>
  confirm({ title: `Forget the filters ${legible(name)}?`, text: shared ? "They are gone for everybody." : "They are gone.", verb: "Forget them", danger: true });

const copyLink = async (filter: SavedFilter, beside: Readonly<Record<string, string>>): Promise<void> => {
  if (await copyText(linkOf(window.location.href, filter.id, beside)))
    toastDone(filter.shared ? "The link is copied; it opens these filters for everybody." : "The link is copied; it opens these filters for you alone, share them first for others.");
  else toastProblem("It was not copied", new Error("The browser does not let this page use the clipboard."));
};

/** What can be done with the kept filters that are shown. */
const Doings = ({ current, changed, filtering, beside, onChange }: {
  current: SavedFilter; changed: boolean; filtering: Readonly<Record<string, unknown>>; beside: Readonly<Record<string, string>>; onChange: () => void;
}) => {
  const overwrite = useChangeFilter();
  const openWith = useOpenWith();
  const refused = (error: unknown): void => toastProblem("That was refused", error);
  return (
    <>
      <Menu.Divider />
      <Menu.Label>{legible(current.name)}{changed ? ", changed" : ""}</Menu.Label>
      {changed && current.changeable && (
        <Menu.Item leftSection={<Save size={14} />}
          onClick={() => overwrite.mutate({ id: current.id, query: { ...filtering } }, { onSuccess: () => toastDone(`${legible(current.name)} is what is set now.`), onError: refused })}>
          Overwrite it with what is set now
        </Menu.Item>
      )}
      <Menu.Item leftSection={<Home size={14} />} onClick={() => openWith.mutate({ id: current.id, opens: !current.default }, { onError: refused })}>
        {current.default ? "Open this room without it" : "Open this room with it"}
      </Menu.Item>
      <Menu.Item leftSection={<Link2 size={14} />} onClick={() => void copyLink(current, beside)}>Copy its link</Menu.Item>
      {current.changeable && <Menu.Item leftSection={<Pencil size={14} />} onClick={onChange}>Rename or share…</Menu.Item>}
    </>
  );
};

const NOTHING = {};

/**
 * Filters kept under a name: choose one, keep what is set now, change or forget one, open the room with it. Stands in
 * the `saved` place of a FilterBar. `beside` is what the address of this list needs besides filters.
 */
export const SavedFilters = <Values extends object>({ page, filters, beside = NOTHING }: {
  page: FilterPage; filters: Filters<Values>; beside?: Readonly<Record<string, string>>;
}) => {
  const { kept, current, changed, missing } = useView(page, filters);
  const forget = useForgetFilter();
  const [asking, setAsking] = useState<"keep" | "change" | null>(null);
  const askForget = async (filter: SavedFilter): Promise<void> => {
    if (!(await asked(filter))) return;
    forget.mutate(filter.id, {
      onSuccess: () => { if (filter.id === filters.view) filters.replace(filters.values); },
      onError: (error) => toastProblem("It was not forgotten", error),
    });
  };
  const name = current === null ? null : legible(current.name) + (changed ? " *" : "");
  return (
    <>
      <Menu position="bottom-start" width={300}>
        <Menu.Target>
          <Button variant={current === null ? "default" : "light"} size="sm" maw={240} leftSection={<Bookmark size={15} aria-hidden="true" />}
            {...(name === null ? {} : { "aria-label": `Saved filters: ${name}` })}>
            <span className="cut">{name ?? "Saved filters"}</span>
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {kept.length === 0 && <Text size="sm" c="dimmed" px="sm" py={4}>None are kept yet.</Text>}
          {kept.map((filter) => (
            <Group key={filter.id} gap={0} wrap="nowrap">
              <Menu.Item onClick={() => filters.replace(filter.query, filter.id)} miw={0} {...(filter.id === current?.id ? { "aria-current": true } : {})}
                rightSection={filter.default ? <Home size={13} role="img" aria-label="opens this room" /> : null}>
                <span className="cut" style={{ display: "block", fontWeight: filter.id === current?.id ? 600 : 400 }}>{legible(filter.name)}</span>
                {filter.shared && <Text component="span" size="xs" c="dimmed">shared by {filter.own ? "you" : legible(filter.owner_name)}</Text>}
              </Menu.Item>
              {filter.changeable && (
                <ActionIcon variant="subtle" color="red" aria-label={`Forget ${filter.name}`} onClick={() => void askForget(filter)}>
                  <Trash2 size={14} />
                </ActionIcon>
              )}
            </Group>
          ))}
          {current && <Doings current={current} changed={changed} filtering={filters.filtering} beside={beside} onChange={() => setAsking("change")} />}
          <Menu.Divider />
          <Menu.Item disabled={!filters.active} onClick={() => setAsking("keep")}>
            {filters.active ? "Keep what is set now…" : "Set filters first to keep them"}
          </Menu.Item>
          <Menu.Item disabled={!filters.active} onClick={filters.clear}>Clear filters</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {missing && <MissingNote />}
      {asking === "keep" && <KeepDialog page={page} query={filters.filtering} onClose={() => setAsking(null)} onKept={({ id, query }) => filters.replace(query, id)} />}
      {asking === "change" && current && <ChangeDialog filter={current} onClose={() => setAsking(null)} />}
    </>
  );
};
