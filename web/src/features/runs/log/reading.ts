/** The stored output of a run over HTTP. */
import { api, authorizedFetch, body } from "@/api/client";
import { problemOf } from "@/lib/problem";

import type { Part, ReadEnding, ReadLog } from "./feed";
import type { Chunk } from "./lines";
import type { FindPlace, ReadSome } from "./window";

const RANGE_CHUNKS = 10_000;
/** Enough for a screen of lines, also where each came alone. */
const ENDING_CHUNKS = 60;

type Query = Readonly<Record<string, string | number | boolean | null | undefined>>;

const addressOf = (runId: string, query: Query): string => {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== null) words.set(name, String(value));
  return `${window.location.origin}/api/v1/runs/${runId}/log?${words.toString()}`;
};

/** Reading must not keep the page from showing what was read. */
const BREATHE_MS = 40;

const breathe = (): Promise<void> => new Promise((wake) => setTimeout(wake));

/** Reads a body of one JSON object per line; hands on what each network read completes. */
const readObjects = async (response: Response, onObjects: (objects: Chunk[]) => void): Promise<number> => {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let count = 0;
  let since = performance.now();
  while (reader) {
    if (performance.now() - since > BREATHE_MS) {
      await breathe();
      since = performance.now();
    }
    const { done, value } = await reader.read();
    if (done) break;
    const lines = (rest + value).split("\n");
    rest = lines.pop() ?? "";
    if (lines.length === 0) continue;
    count += lines.length;
    onObjects(lines.map((line) => JSON.parse(line) as Chunk));
  }
  return count;
};

const ask = async (runId: string, query: Query, signal?: AbortSignal): Promise<Response> => {
  const request = new Request(addressOf(runId, { format: "jsonl", ...query }), { cache: "no-store", ...(signal ? { signal } : {}) });
  const response = await authorizedFetch(request);
  if (!response.ok) throw await problemOf(response);
  return response;
};

/** Stored chunks in ranges that end where a stream can go on. */
export const readingLog =
  (runId: string): ReadLog =>
  async (part: Part, after, onChunks, signal) => {
    let from = after;
    for (;;) {
      const response = await ask(runId, { ...part, after: from, limit: RANGE_CHUNKS }, signal);
      const count = await readObjects(response, (chunks) => {
        from = chunks.at(-1)?.id ?? from;
        onChunks(chunks);
      });
      if (count < RANGE_CHUNKS) return;
    }
  };

export const readingEnding =
  (runId: string): ReadEnding =>
  async (part, onChunks, signal) => {
    await readObjects(await ask(runId, { ...part, tail: true, limit: ENDING_CHUNKS }, signal), onChunks);
  };

export const findingPlace =
  (runId: string): FindPlace =>
  ({ target, step }, line, signal) =>
    body(api.GET("/api/v1/runs/{run_id}/log/place", {
      params: { path: { run_id: runId }, query: { line, ...(target === undefined ? {} : { target }), ...(step === undefined ? {} : { step }) } }, signal,
    }));

export const readingSome =
  (runId: string): ReadSome =>
  async (part, after, limit, signal) => {
    const read: Chunk[] = [];
    await readObjects(await ask(runId, { ...part, after, limit }, signal), (chunks) => read.push(...chunks));
    return read;
  };

/** Where an event stream has to begin so that it tells what is not stored yet; null is the beginning. */
export const readPlace = async (runId: string, signal?: AbortSignal): Promise<string | null> => {
  const response = await ask(runId, { tail: true, limit: 1 }, signal);
  let place: string | null = null;
  await readObjects(response, (chunks) => {
    place = chunks.at(-1)?.id ?? place;
  });
  return place;
};

export interface FileKind {
  format: "text" | "jsonl";
  timestamps?: boolean;
  ansi?: boolean;
}

/** Have the browser save the log as it stands on the server, however long it is. */
export const download = async (runId: string, part: Part, kind: FileKind): Promise<void> => {
  const { ticket } = await body(api.POST("/api/v1/events/ticket"));
  const link = document.createElement("a");
  link.href = addressOf(runId, { ...part, ...kind, download: true, ticket });
  link.download = "";
  link.click();
};
