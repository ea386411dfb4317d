/** A draft outlives a reload, a closed tab, a crash and a session that ended; it is shown to nobody but its author. */
import { readItem, writeItem } from "@/lib/storage";

export interface StoredDraft {
  text: string;
  /** The tag of what it began from. */
  etag: string | null;
}

/** Whose draft of which job; null is a job that is not saved yet. */
export interface DraftOf {
  who: string;
  jobId: string | null;
}

const KEPT_DAYS = 14;
const DAY_MS = 86_400_000;

const keyOf = ({ who, jobId }: DraftOf): string => `ops.draft.${who}.${jobId ?? "new"}`;

const isKept = (stored: unknown, now: number): stored is { text: string; etag?: unknown; at: number } =>
  typeof stored === "object" && stored !== null && "text" in stored && typeof stored.text === "string" &&
  "at" in stored && typeof stored.at === "number" && now - stored.at < KEPT_DAYS * DAY_MS;

export const recallDraft = (of: DraftOf, now = Date.now()): StoredDraft | null => {
  try {
    const stored: unknown = JSON.parse(readItem(keyOf(of)) ?? "null");
    if (!isKept(stored, now)) return null;
    return { text: stored.text, etag: typeof stored.etag === "string" ? stored.etag : null };
  } catch {
    return null;
  }
};

export const storeDraft = (of: DraftOf, draft: StoredDraft | null, now = Date.now()): void =>
  writeItem(keyOf(of), draft === null ? null : JSON.stringify({ ...draft, at: now }));
