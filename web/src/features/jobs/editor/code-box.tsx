import type { Completion } from "@codemirror/autocomplete";
import { type Diagnostic, setDiagnostics } from "@codemirror/lint";
import { Annotation, Compartment } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import { type Ref, useEffect, useImperativeHandle, useLayoutEffect, useRef } from "react";

import { declared, languageOf, writing } from "./codemirror";
import classes from "./editor.module.css";

export interface CodeHandle {
  /** Puts the cursor there, in sight. */
  jump: (offset: number) => void;
}

export interface Props {
  label: string;
  value: string;
  onChange: (text: string) => void;
  /** A shell, or `yaml`. */
  language: string;
  parameters: readonly Completion[];
  problems?: readonly { from: number; to: number; message: string }[];
  tall?: boolean;
  /** Undo is one for the whole editor, so a text has no history of its own. */
  onUndo: () => void;
  onRedo: () => void;
  handle?: Ref<CodeHandle>;
}

const fromOutside = Annotation.define<boolean>();

/** The smallest change that turns one text into the other, so that the cursor stays where it is. */
const changeBetween = (before: string, after: string): { from: number; to: number; insert: string } => {
  let from = 0;
  while (from < before.length && from < after.length && before[from] === after[from]) from += 1;
  let tail = 0;
  while (tail < before.length - from && tail < after.length - from && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail += 1;
  return { from, to: before.length - tail, insert: after.slice(from, after.length - tail) };
};

const CodeBox = (props: Props) => {
  const { label, value, language, parameters, problems = [], tall = false, handle } = props;
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const latest = useRef(props);
  const sent = useRef<string[]>([]);
  const parts = useRef({ language: new Compartment(), parameters: new Compartment() });
  useEffect(() => { latest.current = props; });

  useLayoutEffect(() => {
    if (!host.current) return;
    const { language: languages, parameters: names } = parts.current;
    const first = latest.current;
    const made = new EditorView({
      parent: host.current,
      doc: first.value,
      extensions: [
        keymap.of([
          { key: "Mod-z", run: () => { latest.current.onUndo(); return true; }, preventDefault: true },
          { key: "Mod-y", run: () => { latest.current.onRedo(); return true; }, preventDefault: true },
          { key: "Mod-Shift-z", run: () => { latest.current.onRedo(); return true; }, preventDefault: true },
        ]),
        writing(first.label),
        languages.of([]),
        names.of(declared.of(first.parameters)),
        EditorView.updateListener.of(({ docChanged, transactions, state }) => {
          if (!docChanged || transactions.some((transaction) => transaction.annotation(fromOutside))) return;
          const written = state.doc.toString();
          sent.current.push(written);
          latest.current.onChange(written);
        }),
      ],
    });
    view.current = made;
    return () => { made.destroy(); view.current = null; };
  }, []);

  useEffect(() => {
    // What comes back late of one's own typing is no change: taken for one, it would swallow what was typed since.
    const echo = sent.current.lastIndexOf(value);
    sent.current.splice(0, echo === -1 ? sent.current.length : echo + 1);
    if (echo !== -1) return;
    const shown = view.current?.state.doc.toString();
    if (shown !== undefined && shown !== value) view.current?.dispatch({ changes: changeBetween(shown, value), annotations: fromOutside.of(true) });
  }, [value]);
  useEffect(() => {
    let isMeant = true;
    void Promise.resolve(languageOf(language)).then((extension) => {
      if (isMeant) view.current?.dispatch({ effects: parts.current.language.reconfigure(extension) });
    });
    return () => { isMeant = false; };
  }, [language]);
  useEffect(() => { view.current?.dispatch({ effects: parts.current.parameters.reconfigure(declared.of(parameters)) }); }, [parameters]);
  useEffect(() => {
    const made = view.current;
    if (!made) return;
    const end = made.state.doc.length;
    const shown = problems.map(({ from, to, message }): Diagnostic => ({ from: Math.min(from, end), to: Math.min(Math.max(to, from), end), message, severity: "error" }));
    made.dispatch(setDiagnostics(made.state, shown));
  }, [problems, value]);

  useImperativeHandle(handle, () => ({
    jump: (offset) => {
      const made = view.current;
      if (!made) return;
      const anchor = Math.min(offset, made.state.doc.length);
      made.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: "center" }) });
      made.focus();
    },
  }), []);

  return <div ref={host} className={tall ? classes.tall : classes.box} role="group" aria-label={label} />;
};

export default CodeBox;
