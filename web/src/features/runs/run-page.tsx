import { Group, Tabs } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { runEnded } from "@/api/run-status";
import { Later } from "@/ui/later";
import { Page } from "@/ui/page";
import { ErrorBoundary } from "@/ui/states/error-boundary";
import { ErrorState, Loading } from "@/ui/states/states";
import { RunStatusBadge } from "@/ui/status-badge";

import type { RunDetail } from "./api";
import type { LogFeed } from "./log/feed";
import { LogPanel } from "./log/log-panel";
import { MatrixPanel } from "./matrix/matrix-panel";
import type { Chosen } from "./matrix/matrix-row";
import type { Matrix } from "./matrix/model";
import { CancelButton, CancelReport } from "./room/cancel";
import { FailuresPanel } from "./room/failures";
import { CopyMenu } from "./room/copy-menu";
import { RerunMenu } from "./room/rerun-menu";
import classes from "./room/room.module.css";
import { RunFacts } from "./room/run-facts";
import { TaskStrip } from "./room/task-strip";
import { type Room, useFeed, useFeedState, useRoom } from "./room/use-room";
import { RUN_TABS, type RunSearch, type RunTab, runSearch } from "./search";

const results = () => import("./tabs/results-tab").then(({ ResultsTab: Tab }) => ({ default: Tab }));
const parameters = () => import("./tabs/parameters-tab").then(({ ParametersTab: Tab }) => ({ default: Tab }));
const definition = () => import("./tabs/definition-tab").then(({ DefinitionTab: Tab }) => ({ default: Tab }));
const trail = () => import("./tabs/trail-tab").then(({ TrailTab: Tab }) => ({ default: Tab }));

const NO_STATES: [] = [];

const taskIdOf = (matrix: Matrix | undefined, { t, s }: Chosen): string | null => {
  if (!matrix || t === undefined || s === undefined) return null;
  const step = matrix.steps.findIndex(({ name }) => name === s);
  return matrix.rows.find(({ target }) => target === t)?.cells[step]?.task_id ?? null;
};

interface LogProps {
  run: RunDetail;
  room: Room;
  feed: LogFeed | null;
  search: RunSearch;
  onPart: (change: Chosen) => void;
}

const Log = ({ run, room, feed, search, onPart }: LogProps) => {
  const part = { target: search.t, step: search.s };
  const state = useFeedState(feed);
  const taskId = taskIdOf(room.matrix, search);
  return (
    <LogPanel key={`${search.t ?? ""}\n${search.s ?? ""}`} runId={run.id} part={part} state={state} open={!runEnded(run.status)} onPart={onPart}
      note={taskId === null ? null : <TaskStrip run={run} taskId={taskId} />} />
  );
};

/** The page people watch while a job runs: what happens where, when, and what it says. */
export const RunPage = ({ runId }: { runId: string }): ReactNode => {
  const room = useRoom(runId);
  const navigate = useNavigate();
  const search = runSearch.parse(useSearch({ strict: false }));
  const { run: { data: run, error, refetch }, matrix } = room;
  const tab = search.tab ?? "log";
  const feed = useFeed(runId, { target: search.t, step: search.s }, room, tab === "log");

  const show = (change: Partial<RunSearch>, replace: boolean): void => {
    const next = Object.fromEntries(Object.entries({ ...search, ...change }).filter(([, value]) => value !== undefined));
    void navigate({ to: ".", search: next as never, replace, resetScroll: false });
  };
  const choose = ({ t, s }: Chosen): void => show({ t, s, tab: undefined }, false);

  if (error && !run) return <ErrorState error={error} onRetry={() => void refetch()} />;
  if (!run) return <Loading label="Loading the run" />;
  const panels: Record<RunTab, () => ReactNode> = {
    log: () => <Log run={run} room={room} feed={feed} search={search} onPart={(change) => show(change, false)} />,
    results: () => <Later name="The results" load={results} fallback={<Loading />}>{(Tab) => <Tab runId={runId} matrix={matrix} />}</Later>,
    parameters: () => <Later name="The parameters" load={parameters} fallback={<Loading />}>{(Tab) => <Tab run={run} />}</Later>,
    definition: () => <Later name="The definition" load={definition} fallback={<Loading />}>{(Tab) => <Tab runId={runId} />}</Later>,
    trail: () => <Later name="The trail" load={trail} fallback={<Loading />}>{(Tab) => <Tab runId={runId} status={run.status} />}</Later>,
  };
  const words: Record<RunTab, string> = { log: "Log", results: "Results", parameters: "Parameters", definition: `Definition (v${run.job_version})`, trail: "Trail" };
  return (
    <Page title={run.job_name} mark={<RunStatusBadge status={run.status} />}
      actions={<Group gap="xs"><CopyMenu run={run} part={{ t: search.t, s: search.s }} /><CancelButton run={run} /><RerunMenu run={run} matrix={matrix} /></Group>}>
      <RunFacts run={run} matrix={matrix} />
      <div className={classes.page}>
        <CancelReport run={run} matrix={matrix} />
        {room.matrixError && !matrix ? <ErrorState error={room.matrixError} onRetry={room.readAgain} /> : (
          <MatrixPanel matrix={matrix} name={search.name ?? ""} states={search.state ?? NO_STATES} onFilter={(change) => show(change, true)}
            chosen={{ t: search.t, s: search.s }} onChoose={choose} />
        )}
        <FailuresPanel run={run} matrix={matrix} failures={room.failures.data} onChoose={choose} />
        <Tabs value={tab} onChange={(value) => show({ tab: value === "log" ? undefined : (value as RunTab) }, false)} keepMounted={false} className={classes.tabs ?? ""}>
          <Tabs.List>
            {RUN_TABS.map((name) => <Tabs.Tab key={name} value={name}>{words[name]}</Tabs.Tab>)}
          </Tabs.List>
          {RUN_TABS.map((name) => name !== tab && <Tabs.Panel key={name} value={name}>{null}</Tabs.Panel>)}
          <Tabs.Panel value={tab} pt="xs" className={classes.tab ?? ""}>
            <ErrorBoundary key={tab}>
              {panels[tab]()}
            </ErrorBoundary>
          </Tabs.Panel>
        </Tabs>
      </div>
    </Page>
  );
};
