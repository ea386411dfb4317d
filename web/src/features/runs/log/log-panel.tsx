import { Button, Skeleton, Stack } from "@mantine/core";
import { Link, useLocation, useNavigate } from "@tanstack/react-router";
import { X } from "lucide-react";
import { type MouseEvent, type ReactNode, useEffect, useMemo, useRef, useState } from "react";

import { copyText } from "@/lib/clipboard";
import { toastDone, toastProblem } from "@/ui/toasts";

import type { FeedState, Part } from "./feed";
import { chosen, hashOf, type Range, rangeOf } from "./hash";
import { plain } from "./lines";
import classes from "./log.module.css";
import { type BoxHandle, LogBox } from "./log-box";
import { Ending } from "./log-ending";
import { LogToolbar } from "./log-toolbar";
import { useFind } from "./use-find";
import { useLogKeys } from "./use-log-keys";
import { useLogWindow, type View } from "./use-log-window";
import { useLook } from "./use-look";

interface Props {
  runId: string;
  part: Part;
  state: FeedState;
  /** More may come. */
  open: boolean;
  onPart: (change: { t?: string | undefined; s?: string | undefined }) => void;
  note: ReactNode;
}

const Chip = ({ label, onClear }: { label: string; onClear: () => void }) => (
  <span className={classes.chip}>
    <span className="cut" title={label}>{label}</span>
    <button type="button" aria-label={`No longer only ${label}`} onClick={onClear}><X size={13} aria-hidden="true" /></button>
  </span>
);

const nothing = (): void => undefined;

const report = (what: string) => (done: boolean): void => {
  if (done) toastDone(`${what} copied.`);
  else toastProblem("Not copied", new Error("The browser does not let this page use the clipboard."));
};

const ChosenBar = ({ range, view: { lines, offset }, onClear }: { range: Range; view: View; onClear: () => void }) => {
  const words = range.from === range.to ? `Line ${range.from}` : `Lines ${range.from}–${range.to}`;
  const text = (): string => lines.slice(Math.max(0, range.from - 1 - offset), Math.max(0, range.to - offset)).map((line) => plain(line.text)).join("\n");
  return (
    <div className={classes.chosenBar}>
      <span>{words}</span>
      <Button size="compact-xs" variant="default" onClick={() => void copyText(window.location.href).then(report("Link"))}>Copy link</Button>
      <Button size="compact-xs" variant="default" onClick={() => void copyText(text()).then(report("Text"))}>Copy text</Button>
      <Button size="compact-xs" variant="subtle" onClick={onClear}>Clear</Button>
    </div>
  );
};

/** The log of a run or of a part of it, with everything one does with logs. */
export const LogPanel = ({ runId, part, state, open, onPart, note }: Props) => {
  const navigate = useNavigate();
  const hash = useLocation({ select: (location) => location.hash });
  const range = useMemo(() => rangeOf(hash), [hash]);
  const [follow, setFollow] = useState(open && range === null);
  const { view, ahead, grow, leave } = useLogWindow(runId, part, range, state);
  // What has ended has no end to follow.
  const followOn = (next: boolean): void => {
    setFollow(next && open);
    if (next) leave();
  };
  const [look, setLook] = useLook();
  const finding = useFind(state);
  const box = useRef<BoxHandle>(null);
  const input = useRef<HTMLInputElement>(null);
  const jumped = useRef("");
  /** Brought into sight once the lines are shown from the beginning again. */
  const awaited = useRef<number | null>(null);

  const choose = (next: Range | null): void => {
    jumped.current = next ? hashOf(next) : "";
    void navigate({ to: ".", search: true as never, hash: jumped.current, replace: true, hashScrollIntoView: false, resetScroll: false });
  };
  const onChoose = (event: MouseEvent, number: number): void => {
    event.preventDefault();
    setFollow(false);
    choose(chosen(range, number, event.shiftKey));
  };
  const show = (line: number): void => {
    setFollow(false);
    if (ahead) awaited.current = line;
    if (ahead) leave();
    else box.current?.show(line);
  };
  const toStart = (): void => {
    if (ahead) show(0);
    else box.current?.toStart();
  };

  const { askEnding, loading } = state;
  useEffect(() => {
    if (follow && loading) askEnding();
  }, [askEnding, follow, loading]);

  // A link to lines leads there, as soon as they have come.
  useEffect(() => {
    if (!range || jumped.current === hash || view.offset >= range.from || view.offset + view.count < range.from) return;
    jumped.current = hash;
    box.current?.show(range.from - 1);
  }, [hash, range, view.offset, view.count]);
  useEffect(() => {
    if (ahead || awaited.current === null) return;
    box.current?.show(awaited.current);
    awaited.current = null;
  }, [ahead]);

  // While somebody types, the first match is brought into sight.
  const line = finding.match?.line;
  useEffect(() => {
    if (line === undefined || finding.question === "") return;
    show(line);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- only when the answer to another question is there
  }, [finding.pattern, line]);

  useLogKeys({ input, box, onFollow: followOn, toStart });

  return (
    <section className={classes.panel} aria-label="Log of the run">
      <LogToolbar runId={runId} part={part} finding={finding} input={input} from={() => box.current?.first() ?? 0} onShow={show}
        onLeave={() => box.current?.focus()} look={look} onLook={setLook} follow={open ? follow : null} count={state.count} loading={state.loading}
        onFollow={(next) => { followOn(next); if (next) box.current?.toEnd(); }}
        chips={
          <>
            {part.target !== undefined && <Chip label={part.target} onClear={() => onPart({ t: undefined })} />}
            {part.step !== undefined && <Chip label={part.step} onClear={() => onPart({ s: undefined })} />}
          </>
        }
        plainPage={(children) => (
          <Link to="/runs/$runId/log" params={{ runId }} search={{ t: part.target, s: part.step }} className="quiet" aria-label="Plain page">{children}</Link>
        )} />
      {state.error !== null && <div className={classes.note} role="alert">The rest of the log could not be read: {state.error} It is tried again.</div>}
      {ahead && <div className={classes.note} role="status">These are the lines the link leads to. What stands before them is being read: {state.count.toLocaleString("en")} lines so far…</div>}
      {note}
      {follow && state.ending ? (
        <Ending lines={state.ending} count={state.count} shown={look} wrap={look.wrap} />
      ) : view.count === 0 ? (
        <Blank loading={state.loading} open={open} />
      ) : (
        <LogBox view={view} label="Log lines" shown={look} wrap={look.wrap} follow={follow} onFollow={ahead ? nothing : followOn} range={range} onEdge={grow}
          onChoose={onChoose} pattern={finding.pattern} match={finding.match} handle={box} />
      )}
      {range && <ChosenBar range={range} view={view} onClear={() => choose(null)} />}
    </section>
  );
};

const Blank = ({ loading, open }: { loading: boolean; open: boolean }) => (
  <div className={classes.box}>
    {loading ? (
      <Stack gap={8} p="sm" role="status" aria-label="Loading the log">
        {[60, 45, 70, 30].map((width) => <Skeleton key={width} h={11} w={`${width}%`} opacity={0.25} />)}
      </Stack>
    ) : (
      <p className={classes.empty}>{open ? "Nothing was printed yet. Lines appear here as they come." : "Nothing was printed."}</p>
    )}
  </div>
);
