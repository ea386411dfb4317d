import { useState } from "react";

import { readItem, writeItem } from "@/lib/storage";

/** How this person likes logs to look; kept in the browser. */
export interface Look {
  times: boolean;
  wrap: boolean;
  names: boolean;
}

const KEY = "ops.log";
const USUAL: Look = { times: true, wrap: false, names: true };

const stored = (): Look => {
  try {
    const known: unknown = JSON.parse(readItem(KEY) ?? "{}");
    return { ...USUAL, ...(known as Partial<Look>) };
  } catch {
    return USUAL;
  }
};

export const useLook = (): [Look, (change: Partial<Look>) => void] => {
  const [look, setLook] = useState(stored);
  return [
    look,
    (change) => {
      const next = { ...look, ...change };
      setLook(next);
      writeItem(KEY, JSON.stringify(next));
    },
  ];
};
