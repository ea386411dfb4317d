import { MergeView, unifiedMergeView } from "@codemirror/merge";
import { EditorState } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { useMediaQuery } from "@mantine/hooks";
import { useEffect, useRef } from "react";

import { reading } from "./codemirror-look";
import classes from "./diff.module.css";

const shown = (label: string) => [
  reading, EditorView.editable.of(false), EditorState.readOnly.of(true),
  EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0" }),
];

/** Two texts side by side, on narrow screens one below the other; what is the same over many lines is folded. */
const DiffView = ({ left, right, leftLabel, rightLabel }: { left: string; right: string; leftLabel: string; rightLabel: string }) => {
  const host = useRef<HTMLDivElement>(null);
  const isNarrow = useMediaQuery("(max-width: 760px)");
  useEffect(() => {
    const parent = host.current;
    if (!parent) return;
    const collapseUnchanged = { margin: 4, minSize: 8 };
    const made = isNarrow
      ? new EditorView({ parent, doc: right, extensions: [shown(rightLabel), unifiedMergeView({ original: left, mergeControls: false, collapseUnchanged })] })
      : new MergeView({ parent, a: { doc: left, extensions: shown(leftLabel) }, b: { doc: right, extensions: shown(rightLabel) }, gutter: true, collapseUnchanged });
    return () => made.destroy();
  }, [isNarrow, left, leftLabel, right, rightLabel]);
  return (
    <div>
      <div className={classes.head}><span>{leftLabel}</span><span>{rightLabel}</span></div>
      <div ref={host} className={classes.diff} />
    </div>
  );
};

export default DiffView;
