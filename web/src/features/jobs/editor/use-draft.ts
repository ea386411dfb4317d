import { useCallback, useReducer } from "react";

/** The text being written and how it came to be: one undo for form and YAML together. */
export interface Draft {
  text: string;
  past: readonly string[];
  future: readonly string[];
  /** What the last change was made to: keystrokes in one field are one step back. */
  last: { where: string; at: number } | null;
}

export type DraftAction =
  | { do: "write"; text: string; where: string; at: number }
  | { do: "undo" }
  | { do: "redo" }
  /** Another text altogether; what was before it can be undone to. */
  | { do: "take"; text: string }
  /** Another text as if it had been there from the start. */
  | { do: "begin"; text: string };

const ONE_STEP_MS = 1_200;
const REMEMBERED = 300;

export const draftOf = (text: string): Draft => ({ text, past: [], future: [], last: null });

const remember = (past: readonly string[], text: string): readonly string[] => [...past.slice(-REMEMBERED + 1), text];

export const reduceDraft = (draft: Draft, action: DraftAction): Draft => {
  switch (action.do) {
    case "write": {
      if (action.text === draft.text) return draft;
      const goesOn = draft.last?.where === action.where && action.at - draft.last.at < ONE_STEP_MS && draft.past.length > 0;
      return { text: action.text, past: goesOn ? draft.past : remember(draft.past, draft.text), future: [], last: { where: action.where, at: action.at } };
    }
    case "undo": {
      const text = draft.past.at(-1);
      return text === undefined ? draft : { text, past: draft.past.slice(0, -1), future: [draft.text, ...draft.future], last: null };
    }
    case "redo": {
      const [text, ...future] = draft.future;
      return text === undefined ? draft : { text, past: remember(draft.past, draft.text), future, last: null };
    }
    case "take":
      return action.text === draft.text ? draft : { text: action.text, past: remember(draft.past, draft.text), future: [], last: null };
    case "begin":
      return draftOf(action.text);
  }
};

export const useDraft = (first: string) => {
  const [draft, act] = useReducer(reduceDraft, first, draftOf);
  return {
    draft,
    /** `where` names the field, so that what is typed into it in one go is undone in one go. */
    write: useCallback((text: string, where: string) => act({ do: "write", text, where, at: Date.now() }), []),
    take: useCallback((text: string) => act({ do: "take", text }), []),
    begin: useCallback((text: string) => act({ do: "begin", text }), []),
    undo: useCallback(() => act({ do: "undo" }), []),
    redo: useCallback(() => act({ do: "redo" }), []),
  };
};
