/** How CodeMirror looks here: one theme of variables for both schemes, so that a switch needs nothing. */
import { yaml } from "@codemirror/lang-yaml";
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import type { Extension } from "@codemirror/state";
import { EditorView, highlightSpecialChars, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const nonce = document.querySelector<HTMLMetaElement>("meta[property=csp-nonce]")?.nonce ?? "";

const look = EditorView.theme({
  "&": { color: "var(--text)", backgroundColor: "var(--panel)", border: "1px solid var(--edge)", borderRadius: "4px", fontSize: "13px" },
  "&.cm-focused": { outline: "2px solid var(--focus)", outlineOffset: "0" },
  ".cm-scroller": { fontFamily: "var(--mantine-font-family-monospace)", lineHeight: "1.5" },
  ".cm-content": { caretColor: "var(--text)" },
  ".cm-cursor, .cm-dropCursor": { borderLeftColor: "var(--text)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { background: "light-dark(#cfdcff, #33406e)" },
  ".cm-gutters": { color: "var(--quiet)", backgroundColor: "var(--page)", borderRight: "1px solid var(--edge)" },
  ".cm-activeLine": { backgroundColor: "light-dark(#f3f6fb99, #ffffff0a)" },
  ".cm-activeLineGutter": { color: "var(--text)", backgroundColor: "transparent" },
  ".cm-placeholderMark": { padding: "0 2px", margin: "0 -2px", borderRadius: "3px", color: "var(--tone-odd-ink)", backgroundColor: "var(--tone-odd-soft)" },
  ".cm-placeholderMark span": { color: "inherit" },
  ".cm-placeholderMark.cm-undeclared": { color: "var(--tone-bad-ink)", backgroundColor: "var(--tone-bad-soft)" },
  ".cm-tooltip": { color: "var(--text)", backgroundColor: "var(--panel)", border: "1px solid var(--edge)", borderRadius: "4px" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { color: "var(--text)", backgroundColor: "var(--chosen)" },
  ".cm-completionDetail": { color: "var(--quiet)", fontStyle: "normal" },
  ".cm-foldPlaceholder": { color: "var(--quiet)", backgroundColor: "var(--hover)", border: "none" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--chosen)" },
  ".cm-changedLine": { backgroundColor: "var(--tone-ok-soft) !important" },
  "&.cm-merge-a .cm-changedLine, .cm-deletedChunk": { backgroundColor: "var(--tone-bad-soft) !important" },
  "&.cm-merge-a .cm-changedText, .cm-deletedChunk .cm-deletedText": { background: "light-dark(#f7c6c3, #6b2a27)" },
  "&.cm-merge-b .cm-changedText, .cm-changedText": { background: "light-dark(#b9e8cb, #1f5a37)" },
  ".cm-collapsedLines": { color: "var(--quiet)", background: "var(--hover)" },
  ".cm-collapsedLines::before, .cm-collapsedLines::after": { content: "'…' !important" },
});

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier, tags.controlKeyword], color: "light-dark(#7a1fa2, #d9adff)" },
  { tag: [tags.definition(tags.propertyName), tags.propertyName, tags.attributeName, tags.tagName], color: "light-dark(#0b4a8f, #8cc8ff)" },
  { tag: [tags.string, tags.special(tags.string), tags.regexp], color: "light-dark(#9d1b13, #f2a896)" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: "light-dark(#0b6b3a, #8fd6a8)" },
  { tag: [tags.comment, tags.meta], color: "light-dark(#565e66, #a6abb3)" },
  { tag: [tags.variableName, tags.definition(tags.variableName), tags.standard(tags.variableName)], color: "light-dark(#7a3e00, #ffc98a)" },
  { tag: tags.invalid, color: "var(--tone-bad-ink)" },
]);

export const looks: Extension = [EditorView.cspNonce.of(nonce), look, syntaxHighlighting(colours)];

/** YAML that is only shown. */
export const reading: Extension = [looks, yaml(), lineNumbers(), highlightSpecialChars(), EditorView.lineWrapping];
