import { useVirtualizer } from "@tanstack/react-virtual";
import { type MouseEvent, type Ref, type UIEvent, useEffect, useImperativeHandle, useLayoutEffect, useRef } from "react";

import type { Match } from "./find";
import type { Range } from "./hash";
import { isGapMarker } from "./lines";
import classes from "./log.module.css";
import { LogLine, type Shown } from "./log-line";
import type { View } from "./use-log-window";

const LINE_PX = 19;
const NEAR_PX = 24;
/** So far before an end of what is known more is asked for. */
const EDGE_PX = 1_200;

export interface BoxHandle {
  /** Bring the line at this index of the whole log into the middle. */
  show: (index: number) => void;
  toStart: () => void;
  toEnd: () => void;
  /** The first line in sight. */
  first: () => number;
  focus: () => void;
}

interface Props {
  view: View;
  label: string;
  shown: Shown;
  wrap: boolean;
  follow: boolean;
  onFollow: (follow: boolean) => void;
  range: Range | null;
  onChoose: (event: MouseEvent, number: number) => void;
  pattern: RegExp | null;
  match: Match | null;
  handle: Ref<BoxHandle>;
  /** An end of the lines comes near. */
  onEdge: (end: "before" | "after") => void;
}

/** The lines in sight. Follows the end until somebody looks up, and again when they come back to it. */
export const LogBox = ({ view, label, shown, wrap, follow, onFollow, range, onChoose, pattern, match, handle, onEdge }: Props) => {
  const box = useRef<HTMLDivElement>(null);
  const last = useRef(0);
  const { lines, count, offset } = view;
  const stood = useRef(offset);
  const virtual = useVirtualizer({
    count,
    getScrollElement: () => box.current,
    estimateSize: () => LINE_PX,
    getItemKey: (index) => offset + index,
    overscan: 24,
    initialRect: { width: 1_000, height: 600 },
  });

  useEffect(() => {
    virtual.measure();
  }, [virtual, wrap]);
  useEffect(() => {
    if (follow && count > 0) virtual.scrollToIndex(count - 1, { align: "end" });
  }, [follow, count, virtual, wrap]);

  // Lines that come before those in sight must not push them away.
  useLayoutEffect(() => {
    const more = stood.current - offset;
    stood.current = offset;
    if (more !== 0 && box.current) box.current.scrollTop += more * LINE_PX;
  }, [offset]);

  useImperativeHandle(handle, () => ({
    show: (index) => virtual.scrollToIndex(index - offset, { align: "center" }),
    toStart: () => virtual.scrollToIndex(0),
    toEnd: () => virtual.scrollToIndex(Math.max(0, virtual.options.count - 1), { align: "end" }),
    first: () => offset + Math.floor((box.current?.scrollTop ?? 0) / LINE_PX),
    focus: () => box.current?.focus(),
  }), [virtual, offset]);

  const onScroll = ({ currentTarget: { scrollTop, scrollHeight, clientHeight } }: UIEvent): void => {
    const up = scrollTop < last.current - 1;
    last.current = scrollTop;
    const below = scrollHeight - scrollTop - clientHeight;
    const atEnd = below < NEAR_PX;
    if (up && scrollTop < EDGE_PX) onEdge("before");
    if (!up && below < EDGE_PX) onEdge("after");
    if (up && !atEnd && follow) onFollow(false);
    else if (!up && atEnd && !follow && scrollHeight > clientHeight) onFollow(true);
  };

  return (
    <div ref={box} className={`${classes.box} ${wrap ? classes.wrap : ""}`} role="region" aria-label={label} tabIndex={0} onScroll={onScroll}>
      <div className={classes.lines} style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, start, key }) => {
          const line = lines[index];
          if (!line) return null;
          const number = offset + index + 1;
          const chosen = range !== null && number >= range.from && number <= range.to;
          return (
            <div
              key={key}
              ref={wrap ? virtual.measureElement : null}
              data-index={index}
              className={classes.line}
              {...(chosen ? { "data-chosen": true } : {})}
              {...(line.source.stream === "stderr" ? { "data-stderr": true } : {})}
              {...(isGapMarker(line.text) ? { "data-marker": true } : {})}
              style={{ transform: `translateY(${start}px)` }}
            >
              <LogLine line={line} text={line.text} number={number} shown={shown} chosen={chosen} pattern={pattern}
                current={match?.line === offset + index ? match.nth : null} onChoose={onChoose} />
            </div>
          );
        })}
      </div>
    </div>
  );
};
