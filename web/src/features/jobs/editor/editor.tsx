import { Alert, Button, Group } from "@mantine/core";
import { useHotkeys, useMediaQuery } from "@mantine/hooks";
import { useBlocker } from "@tanstack/react-router";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";

import { confirm } from "@/ui/confirm";
import { Page } from "@/ui/page";

import { parametersOf } from "@/ui/parameters/model";
import type { CodeHandle } from "./code-box";
import { Conflict } from "./conflict";
import { type Editing, EditingContext } from "./context";
import classes from "./editor.module.css";
import { JobForm } from "./job-form";
import { LazyCodeBox } from "./lazy-code-box";
import { ProblemList } from "./problem-list";
import type { EditorProblem } from "./problems";
import { SaveBar, type View } from "./save-bar";
import { type Schema, stepTypes } from "./schema";
import { recallDraft, storeDraft, type StoredDraft } from "./stored-draft";
import { TargetsLine } from "./targets-line";
import { useChecks } from "./use-checks";
import { useDraft } from "./use-draft";
import { useSave } from "./use-save";

/** Whether somebody who goes loses something, and wants that. */
const useGuard = (isDirty: boolean, forget: () => void): void => {
  useBlocker({
    shouldBlockFn: async ({ next }) => {
      // Signed out in mid-work: the draft waits in this browser.
      if (!isDirty || next.pathname === "/login") return false;
      const goes = await confirm({ title: "Leave without saving?", text: "What you have changed here is not saved.", verb: "Leave it unsaved", danger: true });
      if (goes) forget();
      return !goes;
    },
    enableBeforeUnload: () => isDirty,
  });
};

export const Editor = ({ jobId, who, start, schema }: { jobId: string | null; who: string; start: StoredDraft; schema: Schema }) => {
  const of = useMemo(() => ({ who, jobId }), [who, jobId]);
  const [recalled] = useState(() => recallDraft(of));
  const found = recalled && recalled.text !== start.text ? recalled : null;
  const [isTold, setTold] = useState(found !== null);
  const { draft, write, take, begin, undo, redo } = useDraft(found?.text ?? start.text);
  const { text } = draft;
  const checks = useChecks(text, schema);
  const save = useSave(of, found ? { text: start.text, etag: found.etag } : start, text);
  const isWide = useMediaQuery("(min-width: 1101px)", true, { getInitialValueInEffect: false });
  const [wanted, setView] = useState<View | null>(null);
  const view = wanted ?? (isWide ? "both" : "form");
  const code = useRef<CodeHandle>(null);
  const goal = useRef<number | null>(null);

  const forget = (): void => storeDraft(of, null);
  useGuard(save.isDirty, forget);
  useEffect(() => {
    const keep = (): void => storeDraft(of, save.isDirty ? { text, etag: save.etag } : null);
    const later = setTimeout(keep, 300);
    window.addEventListener("pagehide", keep);
    return () => {
      clearTimeout(later);
      window.removeEventListener("pagehide", keep);
    };
  }, [of, save.etag, save.isDirty, text]);
  useHotkeys([["mod+S", () => save.save(false)]], []);

  // A problem is jumped to once the text is on the page.
  const attach = useCallback((handle: CodeHandle | null) => {
    code.current = handle;
    if (!handle || goal.current === null) return;
    handle.jump(goal.current);
    goal.current = null;
  }, []);
  const jump = ({ from }: EditorProblem): void => {
    if (code.current) { code.current.jump(from); return; }
    goal.current = from;
    setView(isWide ? "both" : "yaml");
  };

  const names = parametersOf(checks.definition).map(({ name, type, description }) => `${name}\n${description ?? type}`).join("\n\n");
  const completions = useMemo(
    () => (names === "" ? [] : names.split("\n\n").map((entry) => { const [label = "", detail = ""] = entry.split("\n"); return { label, detail, type: "variable" }; })),
    [names],
  );
  const types = useMemo(() => stepTypes(schema), [schema]);
  const editing: Editing = { text, definition: checks.definition, schema, types, problems: checks.problems, completions, preview: checks.preview, write, undo, redo };
  const { mistakes } = checks.reading;
  const title = typeof checks.definition.name === "string" && checks.definition.name !== "" ? checks.definition.name : "New job";

  return (
    <Page title={title} mark={<span className="quiet">{jobId === null ? "not saved yet" : save.isDirty ? "● changed" : "saved"}</span>}>
      <SaveBar view={view} onView={setView} save={save} onUndo={draft.past.length > 0 ? undo : null} onRedo={draft.future.length > 0 ? redo : null} />
      {isTold && (
        <Alert color="blue" variant="light" mb="sm" title="Your unsaved changes are back" withCloseButton closeButtonLabel="Keep them" onClose={() => setTold(false)}>
          <Group gap="sm">They were kept in this browser.<Button variant="default" size="compact-sm" onClick={() => { begin(start.text); forget(); setTold(false); save.rebase(start); }}>Throw them away</Button></Group>
        </Alert>
      )}
      <TargetsLine preview={checks.preview} />
      <EditingContext value={editing}>
        <div className={`${classes.body ?? ""} ${view === "both" ? (classes.both ?? "") : ""}`}>
          {view !== "yaml" && (mistakes.length > 0
            ? <Alert color="red" variant="light" title={`Line ${mistakes[0]?.line ?? 1} of the YAML cannot be read`}>{mistakes[0]?.message}<br />Mend it in the YAML, and the form is back. <Button variant="default" size="compact-sm" onClick={() => { const [first] = checks.problems; if (first) jump(first); }}>Show the line</Button></Alert>
            : <JobForm />)}
          <div className={view === "form" ? "" : classes.code}>
            {view !== "form" && (
              <LazyCodeBox label="Definition as YAML" tall value={text} language="yaml" parameters={completions} problems={checks.problems} handle={attach}
                onChange={(next) => write(next, "yaml")} onUndo={undo} onRedo={redo} />
            )}
            <ProblemList problems={checks.problems} state={checks.state} onJump={jump} />
          </div>
        </div>
      </EditingContext>
      <Conflict save={save} mine={text} onTake={take} />
    </Page>
  );
};
