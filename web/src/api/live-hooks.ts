/** The event stream for components. */
import { useEffect, useEffectEvent, useSyncExternalStore } from "react";

import { LiveStream, type Listener, type LiveState } from "./live";
import type { LiveEvent } from "./live-events";

const POLL_MS = 5_000;

let stream: LiveStream | null = null;

const theStream = (): LiveStream => (stream ??= new LiveStream());

/** Hear of `topic` while mounted, of a run from the place `from` on; null hears nothing. */
export const useLive = (topic: string | null, listener: Listener, from: string | null = null): void => {
  const onEvents = useEffectEvent(listener.onEvents);
  const onReset = useEffectEvent(listener.onReset);
  useEffect(() => {
    if (topic === null) return;
    const listening = { onEvents: (events: readonly LiveEvent[]) => onEvents(events), onReset: (lost: boolean) => onReset(lost) };
    return theStream().subscribe(topic, listening, from);
  }, [topic, from]);
};

export const useLiveState = (): LiveState =>
  useSyncExternalStore(
    (onChange) => theStream().watch(onChange),
    () => theStream().state,
  );

/** How often to ask in milliseconds when events do not come; false while they do. */
export const usePolling = (): number | false => {
  const state = useLiveState();
  return state === "live" || state === "ended" || state === "connecting" ? false : POLL_MS;
};
