/** Folding news into the pages of the run list without reading all of them again. Pure. */
import type { InfiniteData } from "@tanstack/react-query";

import type { RunStatus } from "@/ui/status";

import type { Run, RunPage } from "./api";

export type RunPages = InfiniteData<RunPage>;

/**
 * The pages with their newest part replaced by `head`. Ids are ordered by time, so what `head` spans and does not
 * name is no longer on the list. Null when `head` does not reach what is known: then there is a gap to read.
 */
export const withHead = (pages: RunPages, head: RunPage): RunPages | null => {
  const known = pages.pages.flatMap((page) => page.items);
  const oldest = head.items.at(-1)?.id;
  if (head.next_cursor === null || oldest === undefined || known.length === 0)
    return { pages: [head], pageParams: [null] };
  if ((known[0]?.id ?? "") < oldest) return null;
  const [, ...rest] = pages.pages;
  const older = (page: RunPage): RunPage => ({ ...page, items: page.items.filter((run) => run.id < oldest) });
  const first = pages.pages[0];
  const tail = first ? older(first).items : [];
  return {
    pages: [{ items: [...head.items, ...tail], next_cursor: first?.next_cursor ?? null }, ...rest.map(older)],
    pageParams: pages.pageParams,
  };
};

/** The pages with these statuses; the same object when nothing changes. */
export const withStatuses = (pages: RunPages, statuses: ReadonlyMap<string, RunStatus>): RunPages => {
  const newStatus = ({ id, status }: Run): RunStatus => statuses.get(id) ?? status;
  const differs = (run: Run): boolean => newStatus(run) !== run.status;
  if (!pages.pages.some((page) => page.items.some(differs))) return pages;
  const patch = (run: Run): Run => (differs(run) ? { ...run, status: newStatus(run) } : run);
  return { ...pages, pages: pages.pages.map((page) => ({ ...page, items: page.items.map(patch) })) };
};
