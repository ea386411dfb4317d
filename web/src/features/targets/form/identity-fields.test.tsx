import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import { useState } from "react";
import { beforeEach, expect, test, vi } from "vitest";

import { meQuery } from "@/api/me";
import { credentialChoicesQuery } from "@/features/credentials/api";
import { theme } from "@/ui/theme";

import { formProblems } from "@/ui/forms/problems";
import { type Draft, EMPTY, FIELDS } from "./draft";
import { IdentityFields } from "./identity-fields";

const MADE = { id: "0199aaaa-0000-7000-8000-000000000001", name: "new one", type: "ssh", username: "ops" };

vi.mock("@/features/credentials/api", async (original) => ({
  ...(await original<object>()),
  askCredential: () => Promise.resolve(MADE),
}));

beforeEach(() => {
  vi.stubGlobal("fetch", vi.fn(() => new Promise<Response>(() => undefined)));
});

const Form = ({ onChange }: { onChange: (draft: Draft) => void }) => {
  const [draft, setDraft] = useState(EMPTY);
  const change = (part: Partial<Draft>): void => setDraft((old) => { const next = { ...old, ...part }; onChange(next); return next; });
  return <IdentityFields draft={draft} onChange={change} problems={formProblems(null, FIELDS)} />;
};

test("a credential made on the way is chosen at once, also while the server is slow to list it", async () => {
  const queries = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity } } });
  queries.setQueryData(meQuery.queryKey, { role: "admin", permissions: ["credentials:write"] } as never);
  queries.setQueryData(credentialChoicesQuery.queryKey, { items: [], next_cursor: null });
  let draft: Draft = EMPTY;
  render(
    <QueryClientProvider client={queries}>
      <MantineProvider theme={theme} env="test"><Form onChange={(next) => { draft = next; }} /></MantineProvider>
    </QueryClientProvider>,
  );

  fireEvent.click(screen.getByRole("button", { name: "New credential…" }));

  await waitFor(() => expect(draft.credentialId).toBe(MADE.id));
  expect(screen.getByDisplayValue("new one (ops)")).toBeInTheDocument();
});
