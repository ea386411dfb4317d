import { useHotkeys } from "@mantine/hooks";
import { type RefObject, useEffect } from "react";

import type { BoxHandle } from "./log-box";

interface Keys {
  input: RefObject<HTMLInputElement | null>;
  box: RefObject<BoxHandle | null>;
  onFollow: (follow: boolean) => void;
  toStart: () => void;
}

/** Ctrl-F and `/` find, `g` and `G` go to the beginning and the end. A second Ctrl-F is the browser's own. */
export const useLogKeys = ({ input, box, onFollow, toStart }: Keys): void => {
  const find = (): void => {
    input.current?.focus();
    input.current?.select();
  };
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() !== "f" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
      const field = input.current;
      if (!field || document.activeElement === field || document.querySelector("[role=dialog]")) return;
      event.preventDefault();
      field.focus();
      field.select();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [input]);
  useHotkeys([
    ["/", find],
    ["g", () => { onFollow(false); toStart(); }],
    ["shift+G", () => { onFollow(true); box.current?.toEnd(); }],
  ]);
};
