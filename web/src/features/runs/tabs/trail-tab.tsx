import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import classes from "@/features/runs/room/room.module.css";
import { trailQuery } from "@/features/runs/run-queries";
import { ErrorState, Loading } from "@/ui/states/states";
import { RUN_STATUS, type Tone } from "@/ui/status";
import { Moment } from "@/ui/time";
import type { Schemas } from "@/api/client";

const TONE: Readonly<Record<Schemas["TrailItem"]["kind"], Tone>> = {
  audit: "busy", state: "ok", attempt: "warn", dead_letter: "bad", resolution: "odd", rerun: "wait",
};

const toneOf = ({ kind, status }: Schemas["TrailItem"]): Tone => (status ? RUN_STATUS[status].tone : TONE[kind]);

/** Why it went as it did, in words and in order. */
export const TrailTab = ({ runId, status }: { runId: string; status: string }) => {
  const { data, error, refetch } = useQuery(trailQuery(runId, status));
  if (error) return <ErrorState error={error} onRetry={() => void refetch()} />;
  if (!data) return <Loading label="Loading the trail" />;
  return (
    <div className={classes.box}>
      <ol className={classes.trail}>
        {data.items.map((item, index) => (
          <li key={index} className={`tone-${toneOf(item)}`}>
            <Moment at={item.at} />
            <span>
              {item.who !== undefined && item.who !== null ? item.text.replace(/^Somebody/, item.who_name ?? item.who) : item.text}
              {item.run_id && <> <Link to="/runs/$runId" params={{ runId: item.run_id }}>Open that run</Link></>}
            </span>
          </li>
        ))}
      </ol>
      <p className={classes.lists} style={{ padding: "0 14px 8px" }}>
        <span className="quiet">Correlation id, in every message and log line of this story: <span className="mono">{data.correlation_id}</span></span>
        {data.truncated && <span className="quiet">There is more than is shown.</span>}
      </p>
    </div>
  );
};
