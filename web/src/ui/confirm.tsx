/** "Are you sure?", asked from anywhere: `if (await confirm({…})) …`. */
import { type ReactNode, useSyncExternalStore } from "react";

import { Later } from "./later";

export interface Question {
  title: string;
  /** What will happen, and what cannot be undone. */
  text: ReactNode;
  /** The verb on the button. */
  verb: string;
  danger?: boolean;
}

export interface OpenQuestion extends Question {
  answer: (yes: boolean) => void;
}

const load = () => import("./confirm-dialog");

let open: OpenQuestion | null = null;
let everAsked = false;
const watchers = new Set<() => void>();

const show = (question: OpenQuestion | null): void => {
  open = question;
  everAsked = true;
  for (const watcher of watchers) watcher();
};

/** Whether the user agreed. A second question answers the first with no. */
export const confirm = (question: Question): Promise<boolean> =>
  new Promise((resolve) => {
    open?.answer(false);
    show({ ...question, answer: (yes) => { show(null); resolve(yes); } });
  });

const subscribe = (watcher: () => void): (() => void) => {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
};

/** Stands once in the application; the dialog itself is loaded with the first question. */
export const Confirming = () => {
  const question = useSyncExternalStore(subscribe, () => open);
  return everAsked ? (
    <Later name="The question" load={load} onGiveUp={() => question?.answer(false)}>
      {(Dialog) => <Dialog question={question} />}
    </Later>
  ) : null;
};
