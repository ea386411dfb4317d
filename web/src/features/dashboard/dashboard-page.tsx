import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { SLOWLY_MS, useFreshness } from "@/api/freshness";
import { usePolling } from "@/api/live-hooks";
import { useRefusal } from "@/api/me";
import { Page } from "@/ui/page";
import { EmptyState, ErrorState, Loading } from "@/ui/states/states";

import { anyRunQuery, dashboardKey, OPEN, type Stats, statsQuery } from "./api";
import { Causes } from "./causes";
import classes from "./dashboard.module.css";
import { Backlog, TargetHealth } from "./health";
import { sum } from "./numbers";
import { OpenRuns } from "./open-runs";
import { Tiles } from "./tiles";

// Where a new installation begins; the room is another feature's.
const FIRST_RUN = "/welcome" as string;

const Rooms = ({ stats }: { stats: Stats }) => (
  <>
    <Tiles stats={stats} />
    <div className={classes.panels}>
      <div className={classes.column}>
        <OpenRuns open={sum(stats.runs_open, OPEN)} />
        <Causes causes={stats.causes} />
      </div>
      <div className={classes.column}>
        <TargetHealth targets={stats.targets} />
        <Backlog backlog={stats.backlog} />
      </div>
    </div>
  </>
);

export const DashboardPage = (): ReactNode => {
  const polling = usePolling();
  const stats = useQuery({ ...statsQuery, refetchInterval: polling === false ? SLOWLY_MS : polling });
  const any = useQuery(anyRunQuery);
  useFreshness("runs", dashboardKey);
  useFreshness(useRefusal("system:read") === null ? "workers" : null, dashboardKey);
  useFreshness(useRefusal("deadletters:read") === null ? "dlq" : null, dashboardKey);

  const content = (): ReactNode => {
    if (stats.isPending) return <Loading label="Loading the dashboard" />;
    if (!stats.data) return <ErrorState error={stats.error} onRetry={() => void stats.refetch()} />;
    return (
      <>
        {any.data === false && (
          <EmptyState title="Nothing has run here yet" command="opsconductor run <job> --follow"
            action={<Button component={Link} to={FIRST_RUN}>Take the first run</Button>}>
            Name a machine, test the connection, run a sample job: about three minutes.
          </EmptyState>
        )}
        <Rooms stats={stats.data} />
      </>
    );
  };
  return <Page title="Dashboard">{content()}</Page>;
};
