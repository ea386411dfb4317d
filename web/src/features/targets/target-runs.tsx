import { Button, Group, Modal, Select, Stack, Text } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { type SubmitEvent, useState } from "react";

import { randomKey, shortId } from "@/lib/ids";
import { FormAlert } from "@/ui/forms/form-alert";
import { formProblems } from "@/ui/forms/problems";
import { ErrorState, Loading } from "@/ui/states/states";
import { RunStatusBadge } from "@/ui/status-badge";
import { Ago } from "@/ui/time";

import { jobChoicesQuery, runJob, targetRunsQuery } from "./api";
import classes from "./targets.module.css";

/** The last runs that had a step here, newest first. */
export const TargetRuns = ({ targetId }: { targetId: string }) => {
  const query = useQuery(targetRunsQuery(targetId));
  if (query.isPending) return <Loading rows={3} label="Loading runs" />;
  if (query.isError) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  if (query.data.items.length === 0) return <Text c="dimmed">Nothing has run here yet.</Text>;
  return (
    <table className={classes.preview} aria-label="Last runs">
      <tbody>
        {query.data.items.map((run) => (
          <tr key={run.id}>
            <td><RunStatusBadge status={run.status} /></td>
            <td><Link to="/runs/$runId" params={{ runId: run.id }}><bdi>{run.job_name}</bdi></Link> <span className="quiet">v{run.job_version}</span></td>
            <td className="mono" title={run.id}>{shortId(run.id)}</td>
            <td className="quiet"><Ago at={run.requested_at} /></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
};

const RunForm = ({ target, onCancel }: { target: string; onCancel: () => void }) => {
  const navigate = useNavigate();
  const jobs = useQuery(jobChoicesQuery).data?.items ?? [];
  const [key] = useState(randomKey);
  const [jobId, setJobId] = useState<string | null>(null);
  const run = useMutation({
    mutationFn: (id: string) => runJob(id, target, `${key}-${id}`),
    onSuccess: ({ id }) => navigate({ to: "/runs/$runId", params: { runId: id } }),
  });
  const problems = formProblems(run.error, []);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (jobId !== null) run.mutate(jobId);
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <Text>Every step of the job runs on <bdi>{target}</bdi> instead of where it says, with the parameters&apos; defaults.</Text>
        <Select label="Job" searchable required data-autofocus nothingFoundMessage="No such job" data={jobs.map(({ id, name }) => ({ value: id, label: name }))} value={jobId} onChange={setJobId} />
        <FormAlert text={problems.general} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onCancel}>Cancel</Button>
          <Button type="submit" loading={run.isPending} disabled={jobId === null}>Run it here</Button>
        </Group>
      </Stack>
    </form>
  );
};

/** "Run a job here": which one. */
export const RunHere = ({ target, opened, onClose }: { target: string; opened: boolean; onClose: () => void }) => (
  <Modal opened={opened} onClose={onClose} title={`Run a job on ${target}`} closeButtonProps={{ "aria-label": "Close" }}>
    <RunForm target={target} onCancel={onClose} />
  </Modal>
);
