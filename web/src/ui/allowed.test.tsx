import { Button, MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";

import { meQuery, type Permission } from "@/api/me";

import { Allowed } from "./allowed";
import { theme } from "./theme";

const shown = (permissions: readonly Permission[], unless: string | null = null) => {
  const act = vi.fn();
  const queries = new QueryClient();
  queries.setQueryData(meQuery.queryKey, { role: "viewer", permissions } as never);
  render(
    <QueryClientProvider client={queries}>
      <MantineProvider theme={theme}>
        <Allowed permission="deadletters:write" unless={unless}><Button onClick={act}>Replay</Button></Allowed>
      </MantineProvider>
    </QueryClientProvider>,
  );
  return { act, button: screen.getByRole("button", { name: "Replay" }) };
};

test("who has the permission presses the button", () => {
  const { act, button } = shown(["deadletters:write"]);
  fireEvent.click(button);

  expect(act).toHaveBeenCalledOnce();
  expect(button).not.toHaveAttribute("aria-disabled");
});

test("who has it not sees the button, reaches it with the keyboard, and is told the reason", async () => {
  const { act, button } = shown(["deadletters:read"]);
  fireEvent.click(button);
  fireEvent.focus(button);

  expect(act).not.toHaveBeenCalled();
  expect(button).toHaveAttribute("aria-disabled", "true");
  expect(button).not.toBeDisabled();
  expect(await screen.findByText(/needs the permission deadletters:write/)).toBeInTheDocument();
});

test("a reason of the room counts even where the permission is there", () => {
  const { act, button } = shown(["deadletters:write"], "It was replayed already.");
  fireEvent.click(button);

  expect(act).not.toHaveBeenCalled();
});
