import { Link } from "@tanstack/react-router";

import { age, count } from "@/lib/span";
import { Meter } from "@/ui/meter";
import { Panel } from "@/ui/panel";
import type { Tone } from "@/ui/status";

import type { Stats } from "./api";
import classes from "./dashboard.module.css";

// A room of its own address; the router learns its filters where the room stands.
const TARGETS = "/targets" as string;

const TESTS: readonly { status: string; filter: string; word: string; tone: Tone }[] = [
  { status: "succeeded", filter: "succeeded", word: "Reachable", tone: "ok" },
  { status: "failed", filter: "failed", word: "Failed", tone: "bad" },
  { status: "untested", filter: "never", word: "Never tested", tone: "off" },
];

/** Targets by what their last connection test said. */
export const TargetHealth = ({ targets }: { targets: Stats["targets"] }) => {
  const total = Object.values(targets).reduce((all, one) => all + one, 0);
  return (
    <Panel title="Targets by their last test">
      {total === 0 ? (
        <p className={classes.calm}>There are no targets yet.</p>
      ) : (
        <div className={classes.health}>
          {TESTS.map(({ status, filter, word, tone }) => (
            <HealthLine key={status} test={filter} word={word} tone={tone} count={targets[status] ?? 0} total={total} />
          ))}
        </div>
      )}
    </Panel>
  );
};

const HealthLine = ({ test, word, tone, count: found, total }: { test: string; word: string; tone: Tone; count: number; total: number }) => (
  <>
    <Link to={TARGETS} search={{ test } as never}>{word}</Link>
    <Meter parts={[{ tone, count: found, word: word.toLowerCase() }]} total={total} words={`${found} of ${total}`} />
  </>
);

/** What waits for a free executor, by pool. */
export const Backlog = ({ backlog }: { backlog: Stats["backlog"] }) => (
  <Panel title="Backlog by pool">
    {backlog.length === 0 ? (
      <p className={classes.calm}>No task waits for an executor.</p>
    ) : (
      <ul className={classes.rows}>
        {backlog.map(({ pool, tasks, oldest_seconds }) => (
          <li key={pool} className={classes.cause}>
            <Link to="/workers" search={{ pool }}>{pool}</Link>
            <span className="nowrap">{count(tasks, "task")}, oldest for {age(oldest_seconds)}</span>
          </li>
        ))}
      </ul>
    )}
  </Panel>
);
