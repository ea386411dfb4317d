import { useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";

import { ROOMS } from "./rooms";

const WAIT_MS = 1_200;
const TYPING = "input, textarea, select, [contenteditable=true], [role=dialog]";

/** `g r` goes to the runs, and so on. */
export const useGoKeys = (): void => {
  const navigate = useNavigate();
  useEffect(() => {
    let since = -Infinity;
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target instanceof Element && event.target.closest(TYPING)) return;
      const room = event.timeStamp - since < WAIT_MS ? ROOMS.find(({ key }) => key === event.key) : undefined;
      since = event.key === "g" ? event.timeStamp : -Infinity;
      if (!room) return;
      event.stopPropagation(); // the same key alone may mean something on the page
      void navigate({ to: room.to });
    };
    document.addEventListener("keydown", onKey, { capture: true });
    return () => document.removeEventListener("keydown", onKey, { capture: true });
  }, [navigate]);
};
