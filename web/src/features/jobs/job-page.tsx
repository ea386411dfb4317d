import { Alert, Tabs } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { useLive, usePolling } from "@/api/live-hooks";
import { Page } from "@/ui/page";
import { ErrorState, Loading } from "@/ui/states/states";
import { StatusMark } from "@/ui/status-badge";

import { ACTIVE, INACTIVE } from "./activity";
import { jobQuery } from "./api";
import { JobActions } from "./job-actions";
import { JobRuns } from "./job-runs";
import { Overview } from "./overview";
import { useReadSoon } from "./read-soon";
import { jobSearch } from "./search";
import { Versions } from "./versions";

export const JobPage = ({ jobId }: { jobId: string }): ReactNode => {
  const options = jobQuery(jobId);
  const polling = usePolling();
  const job = useQuery({ ...options, refetchInterval: polling });
  const { tab = "overview", from, to } = jobSearch.parse(useSearch({ strict: false }));
  const navigate = useNavigate();
  const readSoon = useReadSoon(options.queryKey);
  useLive("runs", { onEvents: readSoon, onReset: readSoon });

  if (job.isPending) return <Loading label="Loading the job" />;
  if (job.isError && !job.data) return <ErrorState error={job.error} onRetry={() => void job.refetch()} />;
  const { data } = job;
  const show = (next: string | null): void =>
    void navigate({ to: "/jobs/$jobId", params: { jobId }, search: next === "runs" || next === "versions" ? { tab: next } : {} });
  return (
    <Page title={data.name} mark={<><StatusMark look={data.active ? ACTIVE : INACTIVE} /><span className="quiet">v{data.version}</span></>} actions={<JobActions job={data} />}>
      {!data.active && <Alert color="orange" variant="light" mb="sm" title="Runs of this job are refused">{data.inactive_reason ?? "Somebody deactivated it."}</Alert>}
      <Tabs value={tab} onChange={show} keepMounted={false}>
        <Tabs.List mb="sm">
          <Tabs.Tab value="overview">Overview</Tabs.Tab>
          <Tabs.Tab value="runs">Runs</Tabs.Tab>
          <Tabs.Tab value="versions">Versions</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="overview"><Overview job={data} /></Tabs.Panel>
        <Tabs.Panel value="runs"><JobRuns jobId={jobId} /></Tabs.Panel>
        <Tabs.Panel value="versions"><Versions job={data} from={from} to={to} /></Tabs.Panel>
      </Tabs>
    </Page>
  );
};
