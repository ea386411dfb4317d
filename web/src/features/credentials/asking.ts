/** "A new credential, please": asked from anywhere, answered by the dialog that stands once in the shell. */
import { useSyncExternalStore } from "react";

import type { Credential, CredentialType } from "./api";

export interface CredentialAsked {
  type: CredentialType;
  /** New at each opening, so that nothing typed the last time is left. */
  opening: number;
  answer: (credential: Credential | null) => void;
}

let asked: CredentialAsked | null = null;
let openings = 0;
const watchers = new Set<() => void>();

const show = (next: CredentialAsked | null): void => {
  asked = next;
  for (const watcher of watchers) watcher();
};

/** The credential that was made; null when the user changed their mind. */
export const askCredential = (type: CredentialType): Promise<Credential | null> =>
  new Promise((resolve) => {
    asked?.answer(null);
    show({
      type,
      opening: ++openings,
      answer: (credential) => {
        show(null);
        resolve(credential);
      },
    });
  });

const subscribe = (watcher: () => void): (() => void) => {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
};

export const useCredentialAsked = (): CredentialAsked | null => useSyncExternalStore(subscribe, () => asked);
