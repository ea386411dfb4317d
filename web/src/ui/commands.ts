/** What Ctrl-K offers: rooms to go to and things to do. Features add theirs while they are mounted. */
import { useEffect, useSyncExternalStore } from "react";

export interface Command {
  id: string;
  label: string;
  group: string;
  /** Shown beside the label: a shortcut, or what it acts on. */
  hint?: string;
  /** Other words people may type for it. */
  keywords?: readonly string[];
  /** Why it cannot be done now; it stays in the list and says so. */
  refusal?: string | null;
  run: () => void;
}

const registered = new Map<object, readonly Command[]>();
const watchers = new Set<() => void>();
let all: readonly Command[] = [];

const change = (owner: object, commands: readonly Command[] | null): void => {
  if (commands) registered.set(owner, commands);
  else registered.delete(owner);
  all = [...registered.values()].flat();
  for (const watcher of watchers) watcher();
};

/** Offer these while mounted. Keep the array stable (useMemo), or it is registered at every render. */
export const useCommands = (commands: readonly Command[]): void => {
  useEffect(() => {
    const owner = {};
    change(owner, commands);
    return () => change(owner, null);
  }, [commands]);
};

const watch = (watcher: () => void): (() => void) => {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
};

export const useAllCommands = (): readonly Command[] => useSyncExternalStore(watch, () => all);
