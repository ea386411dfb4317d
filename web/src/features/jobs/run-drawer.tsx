import { Drawer } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";

import { namedIn, parametersOf } from "@/ui/parameters/model";
import { ErrorBoundary } from "@/ui/states/error-boundary";
import { ErrorState, Loading } from "@/ui/states/states";

import { jobQuery, lastValuesQuery } from "./api";
import { closeRunDialog, type RunAsked } from "./run-dialog";
import { RunForm } from "./run-form";

const Body = ({ jobId }: { jobId: string }) => {
  const job = useQuery({ ...jobQuery(jobId), refetchOnMount: "always" });
  const last = useQuery({ ...lastValuesQuery(jobId), retry: false });
  const navigate = useNavigate();
  if (job.isError) return <ErrorState error={job.error} onRetry={() => void job.refetch()} />;
  if (job.isPending || last.isPending) return <Loading rows={4} label="Loading the job" />;
  const started = (runId: string): void => {
    closeRunDialog();
    void navigate({ to: "/runs/$runId", params: { runId } });
  };
  return <RunForm job={job.data} last={last.data ? { ...last.data.parameters, ...namedIn(parametersOf(job.data.definition), last.data.names) } : null} onStarted={started} />;
};

const Title = ({ jobId }: { jobId: string }) => {
  const job = useQuery(jobQuery(jobId));
  return <>Run {job.data?.name ?? "a job"}{job.data && <span className="quiet"> v{job.data.version}</span>}</>;
};

const RunDrawer = ({ asked }: { asked: RunAsked | null }) => (
  <Drawer opened={asked !== null} onClose={closeRunDialog} position="right" size={460} title={asked && <b><Title jobId={asked.jobId} /></b>}
    closeButtonProps={{ "aria-label": "Close" }} trapFocus returnFocus>
    {asked && <ErrorBoundary><Body key={asked.opening} jobId={asked.jobId} /></ErrorBoundary>}
  </Drawer>
);

export default RunDrawer;
