import { Link } from "@tanstack/react-router";

import { count } from "@/lib/span";
import { legible } from "@/lib/text";
import { CauseLink } from "@/ui/cause-link";
import { Panel } from "@/ui/panel";
import { Ago } from "@/ui/time";

import type { Cause } from "./api";
import classes from "./dashboard.module.css";

/** What went wrong alike stands in one line; the link leads to the newest run of it. */
export const Causes = ({ causes }: { causes: readonly Cause[] }) => (
  <Panel title="Failures of the last 24 hours, by cause">
    {causes.length === 0 ? (
      <p className={classes.calm}>No step has failed.</p>
    ) : (
      <ul className={classes.rows}>
        {causes.map(({ code, pattern, message, tasks, runs, last_at, last_run_id }) => (
          <li key={`${code}${pattern}`} className={classes.cause}>
            <Link to="/runs/$runId" params={{ runId: last_run_id }} className={classes.message}>
              {legible(message ?? pattern)}
            </Link>
            <strong className="nowrap">{count(tasks, "task")}</strong>
            <span className="quiet">
              {code !== null && <CauseLink code={code} />} in {count(runs, "run")}
            </span>
            <span className="quiet"><Ago at={last_at} /></span>
          </li>
        ))}
      </ul>
    )}
  </Panel>
);
