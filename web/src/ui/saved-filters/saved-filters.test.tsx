import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import { useState } from "react";
import { beforeEach, expect, test, vi } from "vitest";

import { meQuery } from "@/api/me";
import { type SavedFilter, savedFiltersQuery } from "@/api/saved-filters";
import { useAllCommands } from "@/ui/commands";
import { Confirming } from "@/ui/confirm";
import type { Filters } from "@/ui/filters";
import { theme } from "@/ui/theme";

import { SavedFilters } from "./saved-filters";

const EVIL = `<img src=x onerror="document.title='owned'">`;
const kept = (id: string, more: Partial<SavedFilter> = {}): SavedFilter => ({
  id, page: "runs", name: id, query: { status: ["failed"] }, shared: false, own: true, changeable: true, default: false, owner_name: "ann",
  created_at: "2026-11-22T00:00:00Z", ...more,
});

interface Address { view?: string | undefined; values: Record<string, unknown> }

let asked: { method: string; path: string; body: unknown }[] = [];

beforeEach(() => {
  asked = [];
  vi.stubGlobal("fetch", vi.fn(async (request: Request) => {
    const text = await request.clone().text();
    asked.push({ method: request.method, path: new URL(request.url).pathname, body: text === "" ? null : JSON.parse(text) });
    return new Response(request.method === "DELETE" ? null : JSON.stringify(kept("made", { query: { q: "x" } })), { status: request.method === "DELETE" ? 204 : 200 });
  }));
});

const Room = ({ first, onShow }: { first: Address; onShow: (address: Address) => void }) => {
  const [{ view, values }, setAddress] = useState(first);
  const show = (next: Address): void => { onShow(next); setAddress(next); };
  useAllCommands();
  const filters: Filters<Record<string, unknown>> = {
    values, view, filtering: values, active: Object.keys(values).length > 0,
    set: (change) => show({ view, values: { ...values, ...change } }),
    clear: () => show({ values: {} }),
    replace: (next, nextView) => show({ view: nextView, values: next as Record<string, unknown> }),
  };
  return <><SavedFilters page="runs" filters={filters} /><button onClick={() => filters.clear()}>clear all</button></>;
};

const room = (filters: readonly SavedFilter[], first: Address, permissions: readonly string[] = ["filters:share"]) => {
  const onShow = vi.fn<(address: Address) => void>();
  const queries = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity } } });
  queries.setQueryData(meQuery.queryKey, { role: "operator", permissions } as never);
  queries.setQueryData(savedFiltersQuery("runs").queryKey, [...filters]);
  render(
    <QueryClientProvider client={queries}>
      <MantineProvider theme={theme} env="test"><Room first={first} onShow={onShow} /><Confirming /></MantineProvider>
    </QueryClientProvider>,
  );
  return onShow;
};

const menu = async (): Promise<void> => {
  fireEvent.click(screen.getByRole("button", { name: /^Saved filters/ }));
  await screen.findByRole("menu");
};
const choose = async (name: string | RegExp): Promise<void> => {
  await menu();
  fireEvent.click(await screen.findByRole("menuitem", { name }));
};

test("a bare room opens with the default, and clearing it stays cleared", async () => {
  const onShow = room([kept("a"), kept("b", { default: true, query: { since: "24h" } })], { values: {} });
  await waitFor(() => { expect(onShow).toHaveBeenLastCalledWith({ view: "b", values: { since: "24h" } }); });
  fireEvent.click(screen.getByText("clear all"));

  await waitFor(() => { expect(onShow).toHaveBeenLastCalledWith({ view: "all", values: {} }); });
});

test("what is chosen is shown under its name, and says when it was changed since", async () => {
  const onShow = room([kept("a", { name: "Bad nights" })], { values: { q: "x" } });
  await choose("Bad nights");
  expect(onShow).toHaveBeenLastCalledWith({ view: "a", values: { status: ["failed"] } });

  expect(screen.getByRole("button", { name: "Saved filters: Bad nights" })).toBeInTheDocument();
});

test("changed filters overwrite what was kept only when asked to", async () => {
  room([kept("a")], { view: "a", values: { status: ["failed"], q: "db" } });
  expect(screen.getByRole("button", { name: "Saved filters: a *" })).toBeInTheDocument();
  expect(asked).toEqual([]);
  await choose("Overwrite it with what is set now");

  await waitFor(() => { expect(asked[0]).toEqual({ method: "PUT", path: "/api/v1/saved-filters/a", body: { query: { status: ["failed"], q: "db" } } }); });
});

test("somebody else's filters can be opened with and linked to, not changed", async () => {
  room([kept("a", { own: false, changeable: false, shared: true })], { view: "a", values: { q: "db" } });
  await menu();

  expect(screen.queryByRole("menuitem", { name: /Overwrite|Rename/ })).toBeNull();
  expect(screen.queryByRole("button", { name: /^Forget/ })).toBeNull();
  fireEvent.click(screen.getByRole("menuitem", { name: "Open this room with it" }));
  await waitFor(() => { expect(asked[0]).toMatchObject({ method: "PUT", path: "/api/v1/saved-filters/a/default" }); });
});

test("who may not share sees why, and keeps filters all the same", async () => {
  const onShow = room([], { values: { q: "x" } }, []);
  await choose("Keep what is set now…");
  const everybody = await screen.findByRole("checkbox", { name: "Everybody may use them" });
  expect(everybody).toBeDisabled();
  expect(screen.getByText(/needs the permission filters:share/)).toBeInTheDocument();
  fireEvent.change(screen.getByRole("textbox", { name: "Name" }), { target: { value: "Mine" } });
  fireEvent.click(screen.getByRole("button", { name: "Keep" }));

  await waitFor(() => { expect(asked[0]).toEqual({ method: "POST", path: "/api/v1/saved-filters", body: { page: "runs", name: "Mine", shared: false, query: { q: "x" } } }); });
  await waitFor(() => { expect(onShow).toHaveBeenLastCalledWith({ view: "made", values: { q: "x" } }); });
});

test("a link to filters that are gone says so and shows the list", () => {
  room([kept("a")], { view: "gone", values: {} });

  expect(screen.getByText(/are gone, or nobody shares them with you/)).toBeInTheDocument();
});

test("a name that is markup is only ever text", async () => {
  room([kept("a", { name: EVIL })], { view: "a", values: { status: ["failed"] } });
  await menu();

  expect(screen.getAllByText(EVIL).length).toBeGreaterThanOrEqual(2);
  expect(document.querySelector("img")).toBeNull();
});
