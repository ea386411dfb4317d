import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { SLOWLY_MS, useFreshness } from "@/api/freshness";
import { usePolling } from "@/api/live-hooks";
import { age } from "@/lib/span";
import { legible } from "@/lib/text";
import { Grid, type GridColumn } from "@/ui/grid";
import { Panel } from "@/ui/panel";
import { ErrorState, Loading } from "@/ui/states/states";
import type { StatusLook } from "@/ui/status";
import { StatusMark } from "@/ui/status-badge";

import { type Pool, type Queue, queuesKey, queuesQuery } from "./api";
import classes from "./queues.module.css";
import { Spark } from "./spark";
import { queueWords } from "./words";

const number = (value: number | null) => (value === null ? <span className="quiet">–</span> : value.toLocaleString("en"));

const lookOfQueue = ({ depth, consumers }: Queue): StatusLook => {
  if (depth === null) return { word: "Missing", glyph: "✕", tone: "bad", meaning: "The broker has no such queue: run `opsconductor migrate`." };
  if (!consumers) return { word: "Nobody listens", glyph: "!", tone: "warn", meaning: "No worker takes from this queue; work is found by looking, a little later." };
  return { word: "Served", glyph: "●", tone: "ok", meaning: "Workers take from this queue." };
};

/** `0.4`, `12`: pieces of work per minute. */
const rate = (value: number | null) => (value === null ? <span className="quiet">–</span> : value >= 10 ? Math.round(value).toLocaleString("en") : Number(value.toFixed(1)));

const HOUR_SECONDS = 3_600;

const queueColumns = (seconds: number): readonly GridColumn<Queue>[] => [
  {
    id: "name", header: "Queue",
    cell: ({ name }) => <span className={classes.queue}><span>{queueWords(name) ?? legible(name)}</span><span className="mono quiet">{legible(name)}</span></span>,
  },
  { id: "state", header: "State", cell: (queue) => <StatusMark look={lookOfQueue(queue)} /> },
  { id: "depth", header: "Messages waiting", end: true, cell: ({ depth }) => number(depth) },
  { id: "history", header: "Last hour", cell: ({ depths }) => <Spark depths={depths} seconds={seconds} slots={Math.round(HOUR_SECONDS / seconds)} /> },
  { id: "arriving", header: "In per minute", end: true, cell: ({ arriving }) => <span title="Work asked for, over the last five minutes">{rate(arriving)}</span> },
  { id: "begun", header: "Out per minute", end: true, cell: ({ begun }) => <span title="Work begun, over the last five minutes">{rate(begun)}</span> },
  { id: "oldest", header: "Oldest work", end: true, cell: ({ oldest_seconds }) => <span title="As the database says, which also knows of work whose message was lost.">{oldest_seconds === null ? number(null) : age(oldest_seconds)}</span> },
  { id: "consumers", header: "Consumers", end: true, cell: ({ consumers }) => number(consumers) },
];

const POOLS: readonly GridColumn<Pool>[] = [
  { id: "pool", header: "Pool", cell: ({ pool }) => <Link to="/workers" search={{ pool }}>{pool}</Link> },
  { id: "ready", header: "Waiting tasks", end: true, cell: ({ ready }) => number(ready) },
  { id: "oldest", header: "Oldest", end: true, cell: ({ oldest_seconds }) => age(oldest_seconds) },
  { id: "running", header: "Running", end: true, cell: ({ running }) => number(running) },
  {
    id: "executors", header: "Executors", end: true,
    cell: ({ executors }) => (executors > 0 ? executors : <StatusMark look={{ word: "Nobody serves it", glyph: "!", tone: "bad", meaning: "Its tasks wait until an executor serves this pool." }} />),
  },
];

/** What waits: tasks by pool as the database says, and messages as the broker counts them. */
export const BrokerPanels = () => {
  const polling = usePolling();
  const query = useQuery({ ...queuesQuery, refetchInterval: polling === false ? SLOWLY_MS : polling });
  useFreshness("queues", queuesKey);
  if (query.isPending) return <Loading label="Loading queues" />;
  if (!query.data) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  const { items, pools, sample_seconds: seconds } = query.data;
  return (
    <div className={classes.panels}>
      <Panel title="Backlog by pool">
        <p className={classes.explain}>Steps that could start now and wait for a free slot of an executor that serves their pool.</p>
        <Grid label="Backlog by pool" columns={POOLS} rows={pools} idOf={({ pool }) => pool} />
      </Panel>
      <Panel title="Queues of the broker">
        <p className={classes.explain}>Messages only ring the bell: the work itself stands in the database and is found there, a few seconds later, when one is lost.</p>
        <Grid label="Queues of the broker" columns={queueColumns(seconds)} rows={items} idOf={({ name }) => name} />
      </Panel>
    </div>
  );
};
