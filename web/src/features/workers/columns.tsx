import { Link } from "@tanstack/react-router";

import { legible } from "@/lib/text";
import type { GridColumn } from "@/ui/grid";
import { Meter } from "@/ui/meter";
import { StatusMark } from "@/ui/status-badge";
import { Ago, Duration, Until } from "@/ui/time";

import type { Worker } from "./api";
import { isExecutor, stateNote, WORKER_STATE } from "./model";
import classes from "./workers.module.css";

const Slots = ({ worker: { running, slots } }: { worker: Worker }) => (
  <span className={classes.slots}>
    <Meter parts={[{ tone: "busy", count: running, word: "used" }]} total={slots} words={`${running} of ${slots}`} />
  </span>
);

const Holding = ({ worker: { tasks, running } }: { worker: Worker }) => {
  if (running === 0) return <span className="quiet">nothing</span>;
  return (
    <ul className={classes.holding}>
      {tasks.map(({ task_id, run_id, job_name, target, started_at }) => (
        <li key={task_id}>
          <Link to="/runs/$runId" params={{ runId: run_id }} search={target === null ? {} : { t: target }}>{legible(job_name)}</Link>
          {target !== null && <span className="quiet"> on {legible(target)}</span>}
          {started_at !== null && <span className="quiet"> · <Duration start={started_at} end={null} /></span>}
        </li>
      ))}
      {running > tasks.length && <li className="quiet">{running - tasks.length} more</li>}
    </ul>
  );
};

export const WORKER_COLUMNS: readonly GridColumn<Worker>[] = [
  {
    id: "state", header: "State",
    cell: (worker) => (
      <span className={classes.name}>
        <span><StatusMark look={WORKER_STATE[worker.state]} />{worker.draining_at !== null && <span className="quiet"> since <Ago at={worker.draining_at} /></span>}</span>
        <span className="quiet">{stateNote(worker)}</span>
      </span>
    ),
  },
  {
    id: "host",
    header: "Host and process",
    cell: ({ host, pid, id, version }) => (
      <span className={classes.name}>
        <span title={id}>{legible(host)} <span className="quiet mono">{pid}</span></span>
        <span className="quiet">version {version}</span>
      </span>
    ),
  },
  { id: "roles", header: "Roles", cell: ({ roles }) => roles.join(", ") },
  { id: "pools", header: "Pools", cell: (worker) => (isExecutor(worker) ? worker.pools.join(", ") : <span className="quiet">–</span>) },
  { id: "slots", header: "Slots used", cell: (worker) => (isExecutor(worker) ? <Slots worker={worker} /> : <span className="quiet">–</span>) },
  { id: "holding", header: "Carries out", cell: (worker) => (isExecutor(worker) ? <Holding worker={worker} /> : <span className="quiet">–</span>) },
  { id: "seats", header: "Sessions", end: true, cell: (worker) => (isExecutor(worker) ? worker.seats : <span className="quiet">–</span>) },
  { id: "lease", header: "Lease", end: true, cell: ({ lease_until }) => <Until at={lease_until} /> },
  { id: "since", header: "Started", end: true, cell: ({ started_at }) => <Ago at={started_at} /> },
];
