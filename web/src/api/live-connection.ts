/** One connection of the event stream: asking for it, reading it, and noticing when it has died. */
import { createParser } from "eventsource-parser";

import { accessToken, renew } from "./session";

const SILENCE_MS = 40_000;

/** Ask for the stream of these topics, from a place on or from the beginning. */
export const askStream = async (topics: readonly string[], from: string | null, signal: AbortSignal): Promise<Response> => {
  const address = `/api/v1/events?topics=${encodeURIComponent(topics.join(","))}`;
  const token = await accessToken();
  const ask = (bearer: string | null): Promise<Response> =>
    fetch(address, {
      signal,
      cache: "no-store",
      headers: {
        accept: "text/event-stream",
        ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
        ...(from === null ? {} : { "last-event-id": from }),
      },
    });
  const response = await ask(token);
  return response.status === 401 ? ask(await renew(token)) : response;
};

export type OnEvent = (id: string | undefined, event: string, text: string) => void;

/**
 * Hands on events until the server closes the stream.
 *
 * Heartbeats come every 15 s; a connection that stays silent is dead, whatever the browser thinks.
 */
export const readStream = async (response: Response, connection: AbortController, onEvent: OnEvent): Promise<void> => {
  const parser = createParser({ onEvent: ({ id, event, data }) => onEvent(id, event ?? "message", data) });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let silence: ReturnType<typeof setTimeout> | undefined;
  try {
    while (reader) {
      clearTimeout(silence);
      silence = setTimeout(() => connection.abort(), SILENCE_MS);
      const { done, value } = await reader.read();
      if (done) return;
      parser.feed(value);
    }
  } finally {
    clearTimeout(silence);
  }
};
