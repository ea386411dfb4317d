import { beforeEach, expect, test } from "vitest";

import { recallDraft, storeDraft } from "./stored-draft";

const ADA = { who: "user:ada", jobId: "j1" };
const DRAFT = { text: "name: x", etag: '"3"' };

beforeEach(() => localStorage.clear());

test("what was written is there for the next tab, for its author and its job alone", () => {
  storeDraft(ADA, DRAFT);
  expect(recallDraft(ADA)).toEqual(DRAFT);
  expect([recallDraft({ ...ADA, who: "user:bob" }), recallDraft({ ...ADA, jobId: "j2" }), recallDraft({ ...ADA, jobId: null })]).toEqual([null, null, null]);
  storeDraft(ADA, null);
  expect(recallDraft(ADA)).toBeNull();
});

test("a draft nobody came back for is forgotten, and what is none of ours is left alone", () => {
  storeDraft(ADA, DRAFT, 0);
  expect([recallDraft(ADA, 13 * 86_400_000), recallDraft(ADA, 15 * 86_400_000)]).toEqual([DRAFT, null]);
  localStorage.setItem("ops.draft.user:ada.j1", "[");
  expect(recallDraft(ADA)).toBeNull();
});
