/** CodeMirror as every editor here has it: both schemes by variables, placeholders marked, parameters completed. */
import { autocompletion, type Completion, type CompletionContext, completionKeymap, type CompletionResult } from "@codemirror/autocomplete";
import { defaultKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, foldGutter, indentOnInput, StreamLanguage } from "@codemirror/language";
import { powerShell } from "@codemirror/legacy-modes/mode/powershell";
import { shell } from "@codemirror/legacy-modes/mode/shell";
import { lintGutter, lintKeymap } from "@codemirror/lint";
import { EditorState, type Extension, Facet } from "@codemirror/state";
import { Decoration, type DecorationSet, drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, keymap, lineNumbers, MatchDecorator, ViewPlugin, type ViewUpdate } from "@codemirror/view";

import { looks } from "@/ui/code/codemirror-look";

/** Names of parameters with a word on each. */
export const declared = Facet.define<readonly Completion[], readonly Completion[]>({ combine: (given) => given.flat() });

const PLACEHOLDER = /\{\{\s*([A-Za-z_]\w*)\s*(?:\|\s*raw\s*)?\}\}/g;

const marker = new MatchDecorator({
  regexp: PLACEHOLDER,
  decoration: ([, name], view) => {
    const known = view.state.facet(declared).some(({ label }) => label === name);
    return Decoration.mark({ class: known ? "cm-placeholderMark" : "cm-placeholderMark cm-undeclared", attributes: { title: known ? `The parameter ${name ?? ""}` : "No such parameter" } });
  },
});

const placeholders = ViewPlugin.fromClass(
  class {
    marks: DecorationSet;

    constructor(view: EditorView) {
      this.marks = marker.createDeco(view);
    }

    update(update: ViewUpdate): void {
      const renamed = update.startState.facet(declared) !== update.state.facet(declared);
      this.marks = renamed ? marker.createDeco(update.view) : marker.updateDeco(update, this.marks);
    }
  },
  { decorations: ({ marks }) => marks },
);

const completeParameter = (context: CompletionContext): CompletionResult | null => {
  const open = context.matchBefore(/\{\{\s*\w*/);
  if (!open) return null;
  const typed = /\w*$/.exec(open.text)?.[0].length ?? 0;
  const closed = /^\s*\}\}/.test(context.state.sliceDoc(context.pos, context.pos + 10));
  const options = context.state.facet(declared).map((option) => ({
    ...option, apply: `${open.text.slice(0, open.text.length - typed).endsWith("{{") ? " " : ""}${option.label}${closed ? "" : " }}"}`,
  }));
  return { from: open.to - typed, options, validFor: /^\w*$/ };
};

const LANGUAGES: Readonly<Record<string, () => Extension | Promise<Extension>>> = {
  yaml: () => [yaml(), foldGutter()],
  powershell: () => StreamLanguage.define(powerShell),
  pwsh: () => StreamLanguage.define(powerShell),
  python3: async () => StreamLanguage.define((await import("@codemirror/legacy-modes/mode/python")).python),
  perl: async () => StreamLanguage.define((await import("@codemirror/legacy-modes/mode/perl")).perl),
  cmd: () => [],
};

/** By the name of a shell, or `yaml`; what is not known is taken for a Unix shell. Rare ones are loaded when asked for. */
export const languageOf = (name: string): Extension | Promise<Extension> => LANGUAGES[name]?.() ?? StreamLanguage.define(shell);

export const writing = (label: string): Extension => [
  looks, lineNumbers(), highlightSpecialChars(), drawSelection(),
  highlightActiveLine(), highlightActiveLineGutter(), bracketMatching(), indentOnInput(), placeholders, lintGutter(),
  autocompletion({ override: [completeParameter], icons: false }),
  EditorState.tabSize.of(2), EditorView.lineWrapping,
  EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false", tabindex: "0" }),
  keymap.of([...completionKeymap, ...lintKeymap, ...defaultKeymap, indentWithTab]),
];
