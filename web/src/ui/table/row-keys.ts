import { useHotkeys } from "@mantine/hooks";
import { useState } from "react";

interface Handlers {
  /** Ids of the rows, in their order. */
  ids: readonly string[];
  /** The row to begin at. */
  first: string | null;
  onOpen: (index: number) => void;
  onToggle: (index: number) => void;
  onMove: (index: number, id: string) => void;
  /** What else a key does with the row: `{ r: run }`. */
  others?: Readonly<Record<string, (index: number) => void>>;
}

/**
 * j and k go down and up, x selects, Enter opens. Returns the row they act on; -1 before the first key. It stays
 * on its row when others come in above, and on its place when its row goes.
 */
export const useRowKeys = ({ ids, first, onOpen, onToggle, onMove, others = {} }: Handlers): number => {
  const [wanted, setWanted] = useState<{ id: string; index: number } | null>(first === null ? null : { id: first, index: -1 });
  const found = wanted === null ? -1 : ids.indexOf(wanted.id);
  const active = found >= 0 || wanted === null ? found : Math.min(wanted.index, ids.length - 1);
  const move = (step: number): void => {
    const next = Math.min(Math.max(active + step, 0), ids.length - 1);
    const id = ids[next];
    if (id === undefined) return;
    setWanted({ id, index: next });
    onMove(next, id);
  };
  const act = (what: (index: number) => void): void => {
    if (active >= 0) what(active);
  };
  useHotkeys([
    ["j", () => move(1)],
    ["k", () => move(-1)],
    ["x", () => act(onToggle)],
    ...Object.entries(others).map(([key, what]): [string, () => void] => [key, () => act(what)]),
    [
      "Enter",
      (event) => {
        // A focused link or button keeps its own Enter.
        if (event.target instanceof Element && event.target.closest("a, button, [role=dialog], [role=menu]")) return;
        act(onOpen);
      },
      { preventDefault: false },
    ],
  ]);
  return active;
};
