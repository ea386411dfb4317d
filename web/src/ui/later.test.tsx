import { render, screen } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { expect, test, vi } from "vitest";

import { Later } from "./later";

const Form = () => <p>The form is here</p>;
const gone = (): Promise<{ default: typeof Form }> => Promise.reject(new TypeError("gone"));

test("what cannot be loaded says so in its own place, and is loaded again when asked to", async () => {
  const load = vi.fn(() => Promise.resolve({ default: Form })).mockRejectedValueOnce(new TypeError("Failed to fetch"));
  render(<main>What was typed<Later name="The form" load={load}>{(Part) => <Part />}</Later></main>);

  expect(await screen.findByRole("alert")).toHaveTextContent(/^The form could not be loaded/);
  expect(screen.getByText(/What was typed/)).toBeInTheDocument();
  await userEvent.click(screen.getByRole("button", { name: "Load it again" }));

  expect(await screen.findByText("The form is here")).toBeInTheDocument();
  expect(screen.queryByRole("alert")).toBeNull();
});

test("what was asked for can be given up", async () => {
  const giveUp = vi.fn();
  render(<Later name="The form" load={gone} onGiveUp={giveUp}>{(Part) => <Part />}</Later>);

  await userEvent.click(await screen.findByRole("button", { name: "Close" }));

  expect(giveUp).toHaveBeenCalledOnce();
});
