import { MantineProvider } from "@mantine/core";
import { fireEvent, render, screen } from "@testing-library/react";
import { useState } from "react";
import { afterEach, expect, test, vi } from "vitest";

import { type Column, DataTable } from "./data-table";

interface Row { id: string; name: string }

const COLUMNS: readonly Column<Row>[] = [{ id: "name", header: "Name", width: "1fr", cell: ({ name }) => name }];
const rowsOf = (count: number): Row[] => Array.from({ length: count }, (_, at) => ({ id: `r${at}`, name: `row ${at}` }));

const Room = ({ rows, onOpen, onReplay }: { rows: readonly Row[]; onOpen: (row: Row) => void; onReplay?: (row: Row) => void }) => {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  return (
    <MantineProvider>
      <output>{[...chosen].sort().join(" ")}</output>
      <DataTable label="Things" rows={rows} columns={COLUMNS} idOf={({ id }) => id} onOpen={onOpen} selection={{ chosen, onChange: setChosen }} keys={onReplay ? { r: onReplay } : {}} />
    </MantineProvider>
  );
};

/** As the setup of the tests has it, and as the table does. */
const [SIGHT_PX, ROW_PX, SPARE_ROWS] = [800, 34, 12];

afterEach(() => { window.history.replaceState(null, ""); });

const press = (key: string) => fireEvent.keyDown(document.documentElement, { key });
const chosen = () => screen.getByRole("status").textContent;

test("of 5,000 rows those in sight are in the document and few besides, and a screen reader hears how many there are", () => {
  render(<Room rows={rowsOf(5_000)} onOpen={vi.fn()} />);

  const rows = screen.getAllByRole("row").slice(1);
  expect(rows.length).toBeGreaterThanOrEqual(Math.floor(SIGHT_PX / ROW_PX));
  expect(rows.length).toBeLessThanOrEqual(Math.ceil(SIGHT_PX / ROW_PX) + 2 * SPARE_ROWS);
  expect(rows[0]?.textContent).toBe("row 0");
  expect(screen.getByRole("table").getAttribute("aria-rowcount")).toBe("5001");
});

test("scrolled to the middle, the rows there are in the document and the first are not", () => {
  render(<Room rows={rowsOf(5_000)} onOpen={vi.fn()} />);
  const frame = screen.getByRole("region");
  frame.scrollTop = 2_500 * ROW_PX;
  fireEvent.scroll(frame);

  const seen = screen.getAllByRole("row").slice(1).map(({ textContent }) => textContent);
  expect(seen).toContain("row 2510");
  expect(seen).not.toContain("row 0");
  expect(seen.length).toBeLessThanOrEqual(Math.ceil(SIGHT_PX / ROW_PX) + 2 * SPARE_ROWS);
});

test("markup in a cell, in a name and in a menu is only ever text", () => {
  const evil = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`;
  render(
    <MantineProvider>
      <DataTable label="Things" rows={[{ id: "r0", name: evil }]} columns={COLUMNS} idOf={({ id }) => id} onOpen={vi.fn()} nameOf={({ name }) => name}
        actions={({ name }) => [{ label: name, run: vi.fn() }]} />
    </MantineProvider>,
  );
  fireEvent.click(screen.getByRole("button", { name: /^What to do with/ }));

  expect(screen.getByText(evil, { selector: "[role=cell]" })).toBeInTheDocument();
  expect(screen.getByRole("menuitem").textContent).toBe(evil);
  expect(document.querySelector("img, script")).toBeNull();
  expect(document.title).not.toBe("owned");
});

test("the menu of a row does what is chosen, for that row, and says why something cannot be done", () => {
  const [run, never] = [vi.fn(), vi.fn()];
  render(
    <MantineProvider>
      <DataTable label="Things" rows={rowsOf(2)} columns={COLUMNS} idOf={({ id }) => id} onOpen={vi.fn()} nameOf={({ name }) => name}
        actions={(row) => [{ label: "Run", run: () => { run(row.id); } }, { label: "Delete", refusal: "Ask an administrator.", run: never }]} />
    </MantineProvider>,
  );
  fireEvent.click(screen.getByRole("button", { name: "What to do with row 1" }));
  fireEvent.click(screen.getByRole("menuitem", { name: /Delete/ }));
  expect(screen.getByRole("menuitem", { name: /Ask an administrator/ })).toHaveAttribute("aria-disabled", "true");
  fireEvent.click(screen.getByRole("menuitem", { name: "Run" }));

  expect(never).not.toHaveBeenCalled();
  expect(run).toHaveBeenCalledExactlyOnceWith("r1");
});

test("a heading sorts forwards, backwards, and back to the order the list comes in", () => {
  const onChange = vi.fn();
  const sortable = [{ ...COLUMNS[0], sort: "name" } as Column<Row>];
  const Sorted = ({ by }: { by: string | null }) => (
    <MantineProvider><DataTable label="Things" rows={rowsOf(2)} columns={sortable} idOf={({ id }) => id} onOpen={vi.fn()} sorting={{ by, onChange }} /></MantineProvider>
  );
  const { rerender } = render(<Sorted by={null} />);
  const orders = [];
  for (const by of [null, "name", "-name"]) {
    rerender(<Sorted by={by} />);
    orders.push(screen.getByRole("columnheader").getAttribute("aria-sort"));
    fireEvent.click(screen.getByRole("button", { name: /^Name/ }));
  }

  expect(orders).toEqual(["none", "ascending", "descending"]);
  expect(onChange.mock.calls.map(([by]: unknown[]) => by)).toEqual(["name", "-name", null]);
});

test("the row that j and k went to stays the same when others come in above it", () => {
  const onOpen = vi.fn();
  const rows = rowsOf(3);
  const { rerender } = render(<Room rows={rows} onOpen={onOpen} />);
  for (const key of ["j", "j"]) press(key);
  rerender(<Room rows={[{ id: "new", name: "new" }, ...rows]} onOpen={onOpen} />);
  press("Enter");

  expect(onOpen).toHaveBeenCalledExactlyOnceWith(rows[1]);
});

test("whoever comes back finds the list where they left it, with the row they had gone to", () => {
  const onOpen = vi.fn();
  window.history.replaceState({ __TSR_key: "before" }, "");
  const first = render(<Room rows={rowsOf(5_000)} onOpen={onOpen} />);
  const frame = screen.getByRole("region");
  frame.scrollTop = 1_000 * ROW_PX;
  fireEvent.scroll(frame);
  press("j");
  fireEvent.scroll(frame, { target: { scrollTop: 1_000 * ROW_PX } });
  first.unmount();

  window.history.replaceState({ __TSR_key: "elsewhere" }, "");
  const other = render(<Room rows={rowsOf(5_000)} onOpen={onOpen} />);
  expect(screen.getAllByRole("row")[1]?.textContent).toBe("row 0");
  other.unmount();

  window.history.replaceState({ __TSR_key: "before" }, "");
  render(<Room rows={rowsOf(5_000)} onOpen={onOpen} />);
  expect(screen.getAllByRole("row").map(({ textContent }) => textContent)).toContain("row 1000");
  press("Enter");
  expect(onOpen).toHaveBeenCalledExactlyOnceWith({ id: "r0", name: "row 0" });
});

test("j and k move, x selects, Enter opens, and a key of the room acts on the row", () => {
  const [onOpen, onReplay] = [vi.fn(), vi.fn()];
  const rows = rowsOf(3);
  render(<Room rows={rows} onOpen={onOpen} onReplay={onReplay} />);
  press("Enter");
  expect(onOpen).not.toHaveBeenCalled();

  for (const key of ["j", "j", "j", "j", "k", "x", "Enter", "r"]) press(key);

  expect(chosen()).toBe("r1");
  expect(onOpen).toHaveBeenCalledExactlyOnceWith(rows[1]);
  expect(onReplay).toHaveBeenCalledExactlyOnceWith(rows[1]);
});

test("all that are shown are selected at once, and a click on a tick opens nothing", () => {
  const onOpen = vi.fn();
  render(<Room rows={rowsOf(3)} onOpen={onOpen} />);
  fireEvent.click(screen.getByLabelText("Select all shown"));

  expect(chosen()).toBe("r0 r1 r2");
  expect(onOpen).not.toHaveBeenCalled();
});
