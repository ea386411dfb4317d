import { useDeferredValue, useMemo, useState } from "react";

import type { FeedState } from "./feed";
import { type Found, Finder, firstFrom, type Match, matchAt, patternOf } from "./find";

export interface Finding {
  question: string;
  ask: (question: string, from: number) => void;
  found: Found;
  /** `found` still answers an earlier question. */
  pending: boolean;
  /** From 0; of `found.total`. */
  index: number;
  match: Match | null;
  pattern: RegExp | null;
  /** Go on or back, around the end; the line to show. */
  step: (by: 1 | -1) => number | null;
}

/** Find in a log that may still grow. Answers a moment behind the typing. */
export const useFind = ({ lines, version, firm }: FeedState): Finding => {
  const [finder] = useState(() => new Finder());
  const [question, setQuestion] = useState("");
  const [place, setPlace] = useState<{ index: number | null; from: number }>({ index: null, from: 0 });
  const asked = useDeferredValue(question);
  // `version` stands for the lines, which grow in place.
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const found = useMemo(() => finder.find(asked, lines, firm), [finder, asked, lines, version, firm]);
  const pattern = useMemo(() => patternOf(asked), [asked]);
  const index = place.index ?? firstFrom(found, place.from);
  const match = matchAt(found, index);
  return {
    question, found, index, match, pattern,
    pending: asked !== question,
    ask: (text, from) => {
      setQuestion(text);
      setPlace({ index: null, from });
    },
    step: (by) => {
      if (found.total === 0) return null;
      const next = (index + by + found.total) % found.total;
      setPlace({ index: next, from: 0 });
      return matchAt(found, next)?.line ?? null;
    },
  };
};
