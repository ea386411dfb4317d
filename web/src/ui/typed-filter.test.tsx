import { MantineProvider } from "@mantine/core";
import { act, fireEvent, render, screen } from "@testing-library/react";
import { useState } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { TypedFilter } from "./typed-filter";

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => { vi.useRealTimers(); });

const Room = ({ onSet }: { onSet: (value: string | undefined) => void }) => {
  const [value, setValue] = useState<string | undefined>();
  const set = (next: string | undefined): void => { onSet(next); setValue(next); };
  return (
    <MantineProvider>
      <TypedFilter aria-label="Name" value={value} onChange={set} />
      <button onClick={() => setValue("kept")}>choose kept</button>
      <button onClick={() => setValue(undefined)}>clear</button>
    </MantineProvider>
  );
};

const input = () => screen.getByLabelText<HTMLInputElement>("Name");
const settle = () => act(() => { vi.advanceTimersByTime(1_000); });
const type = (text: string) => fireEvent.change(input(), { target: { value: text } });

test("it acts once, a moment after the last key, without blanks around", () => {
  const onSet = vi.fn();
  render(<Room onSet={onSet} />);
  for (const text of ["w", "we", "web "]) type(text);
  expect(onSet).not.toHaveBeenCalled();
  settle();

  expect(onSet).toHaveBeenCalledExactlyOnceWith("web");
  expect(input().value).toBe("web ");
});

test("what is set elsewhere is shown, the same again after it was cleared", () => {
  render(<Room onSet={vi.fn()} />);
  type("kept");
  settle();
  fireEvent.click(screen.getByText("clear"));
  expect(input().value).toBe("");
  fireEvent.click(screen.getByText("choose kept"));
  expect(input().value).toBe("kept");
});
