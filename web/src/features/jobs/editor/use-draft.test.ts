import fc from "fast-check";
import { expect, test } from "vitest";

import { type Draft, type DraftAction, draftOf, reduceDraft } from "./use-draft";

const play = (draft: Draft, ...actions: DraftAction[]): Draft => actions.reduce(reduceDraft, draft);
const write = (text: string, where = "yaml", at = 0): DraftAction => ({ do: "write", text, where, at });

test("what is typed into one field in one go is one step back", () => {
  const typed = play(draftOf(""), write("a", "name", 0), write("ab", "name", 300), write("abc", "name", 600));
  expect(play(typed, { do: "undo" }).text).toBe("");
  expect(play(typed, { do: "undo" }, { do: "redo" }).text).toBe("abc");
});

test("another field, or a pause, is another step", () => {
  const typed = play(draftOf(""), write("a", "name", 0), write("ab", "steps.0.command", 100), write("abc", "steps.0.command", 5_000));
  expect(play(typed, { do: "undo" }).text).toBe("ab");
  expect(play(typed, { do: "undo" }, { do: "undo" }).text).toBe("a");
});

test("however much is written, as many undos lead back to the beginning and as many redos to the end", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ minLength: 1 }), { maxLength: 30 }), (texts) => {
      const written = play(draftOf("begin"), ...texts.map((text, index) => write(text, String(index))));
      const back = play(written, ...texts.map((): DraftAction => ({ do: "undo" })));
      expect(back.text).toBe("begin");
      expect(play(back, ...texts.map((): DraftAction => ({ do: "redo" }))).text).toBe(written.text);
    }),
  );
});
