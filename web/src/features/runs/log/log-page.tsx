import { Link } from "@tanstack/react-router";
import { memo, type ReactNode, useEffect, useRef } from "react";

import { runEnded } from "@/api/run-status";
import { LiveBadge } from "@/ui/shell/live-badge";
import { ErrorState } from "@/ui/states/states";
import { RunStatusBadge } from "@/ui/status-badge";

import { useFeed, useFeedState, useRoom } from "@/features/runs/room/use-room";
import type { Part } from "./feed";
import { rangeOf } from "./hash";
import { type Line, plain } from "./lines";
import classes from "./log.module.css";
import { placeOf } from "./log-line";
import { DownloadMenu } from "./log-toolbar";

const BLOCK = 500;

/** Lines that the browser lays out when they come into sight, and finds and selects all the same. */
const Block = memo(({ lines, start, end }: { lines: readonly Line[]; start: number; end: number; version: number }) => (
  <div className={classes.block}>
    {lines.slice(start, end).map((line, index) => (
      <p key={index} id={`L${start + index + 1}`}>
        <span className={classes.number} data-n={start + index + 1} />
        <span className={classes.from} data-from={placeOf(line)} />
        <span className={classes.text}>{plain(line.text)}</span>
      </p>
    ))}
  </div>
));
Block.displayName = "Block";

/** The whole log as one page of text, where find, select all, print and screen readers work as anywhere. */
export const LogPage = ({ runId, part }: { runId: string; part: Part }): ReactNode => {
  const room = useRoom(runId);
  const state = useFeedState(useFeed(runId, part, room));
  const { data: run, error } = room.run;
  const title = run ? `Log of ${run.job_name}` : "Log";
  useEffect(() => {
    document.title = `${title} · OpsConductor`;
  }, [title]);
  const jumped = useRef(false);
  useEffect(() => {
    const range = rangeOf(window.location.hash);
    if (jumped.current || !range || state.count < range.from) return;
    jumped.current = true;
    document.getElementById(`L${range.from}`)?.scrollIntoView({ block: "center" });
  }, [state.count]);
  if (error) return <main><ErrorState error={error} /></main>;
  return (
    <>
      <header className={classes.plainHead}>
        <Link to="/runs/$runId" params={{ runId }} search={{ t: part.target, s: part.step }}>Back to the run</Link>
        <LiveBadge />
        <DownloadMenu runId={runId} part={part} />
        <span className="quiet" aria-live="polite">{state.count.toLocaleString("en")} lines{state.loading ? " so far, reading…" : ""}</span>
      </header>
      <main className={classes.plain}>
        <h1 className={classes.empty}>
          {title} {part.target !== undefined && `· ${part.target}`} {part.step !== undefined && `· ${part.step}`} {run && <RunStatusBadge status={run.status} />}
        </h1>
        {Array.from({ length: Math.ceil(state.count / BLOCK) }, (_, block) => {
          const end = Math.min((block + 1) * BLOCK, state.count);
          return <Block key={block} lines={state.lines} start={block * BLOCK} end={end} version={end <= state.firm ? 0 : state.version} />;
        })}
        {!state.loading && state.count === 0 && (
          <p className={classes.empty}>{run && !runEnded(run.status) ? "Nothing was printed yet." : "Nothing was printed."}</p>
        )}
      </main>
    </>
  );
};
