/** "Run it…" asked from anywhere: the list, a job's page, the editor, the palette. */
import { useSyncExternalStore } from "react";

export interface RunAsked {
  jobId: string;
  /** New at each opening: one opened dialog starts one run, however often the button is pressed. */
  opening: number;
}

let asked: RunAsked | null = null;
let openings = 0;
const watchers = new Set<() => void>();

const show = (next: RunAsked | null): void => {
  asked = next;
  for (const watcher of watchers) watcher();
};

export const openRunDialog = (jobId: string): void => show({ jobId, opening: ++openings });

export const closeRunDialog = (): void => show(null);

const subscribe = (watcher: () => void): (() => void) => {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
};

export const useRunAsked = (): RunAsked | null => useSyncExternalStore(subscribe, () => asked);
