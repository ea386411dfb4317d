import { Button, Group, Select, Stack, Text } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { lazy, Suspense } from "react";

import { Allowed } from "@/ui/allowed";
import { confirm } from "@/ui/confirm";
import { ErrorState, Loading } from "@/ui/states/states";
import { type Column, DataTable } from "@/ui/table/data-table";
import { Moment } from "@/ui/time";
import { toastDone, toastProblem } from "@/ui/toasts";

import { type JobDetail, type JobVersion, useRestore, versionQuery, versionsQuery } from "./api";
import { stepsOf } from "./in-words";

const DiffView = lazy(() => import("@/ui/code/diff-view"));

const columns = (jobId: string): readonly Column<JobVersion>[] => [
  { id: "version", header: "Version", width: "110px", cell: ({ version, current }) => <><b>{version}</b>{current && <span className="quiet"> now</span>}</> },
  { id: "message", header: "Why", width: "minmax(160px, 3fr)", cell: ({ message }) => message ?? <span className="quiet">no word</span> },
  { id: "by", header: "By", width: "minmax(80px, 1fr)", from: 560, cell: ({ created_by, created_by_name }) => created_by_name ?? created_by },
  { id: "at", header: "Saved", width: "236px", from: 640, cell: ({ created_at }) => <Moment at={created_at} /> },
  { id: "steps", header: "Steps", width: "64px", end: true, from: 760, cell: ({ definition }) => stepsOf(definition).length },
  {
    id: "diff", header: "Compare", width: "150px", end: true,
    cell: ({ version }) => version === 1 ? null : <Link to="/jobs/$jobId" params={{ jobId }} search={{ tab: "versions", from: version - 1, to: version }}>What changed</Link>,
  },
];

const Compared = ({ jobId, from, to }: { jobId: string; from: number; to: number }) => {
  const older = useQuery(versionQuery(jobId, from));
  const newer = useQuery(versionQuery(jobId, to));
  const failed = older.error ?? newer.error;
  if (failed) return <ErrorState error={failed} />;
  if (!older.data || !newer.data) return <Loading rows={4} label="Loading both versions" />;
  return (
    <Suspense fallback={<Loading rows={4} label="Loading the comparison" />}>
      {older.data.text === newer.data.text && <Text c="dimmed">Both say the same.</Text>}
      <DiffView left={older.data.text} right={newer.data.text} leftLabel={`Version ${from}`} rightLabel={`Version ${to}`} />
    </Suspense>
  );
};

/** Every version there was: who saved it and why, what changed, and back to it. */
export const Versions = ({ job, from, to }: { job: JobDetail; from: number | undefined; to: number | undefined }) => {
  const query = useInfiniteQuery(versionsQuery(job.id));
  const restore = useRestore(job.id);
  const navigate = useNavigate();
  if (query.isPending) return <Loading label="Loading versions" />;
  if (query.isError) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  const versions = query.data.pages.flatMap((page) => page.items);
  const numbers = Array.from({ length: job.version }, (_, index) => String(job.version - index));
  const compare = (left: number, right: number): void =>
    void navigate({ to: "/jobs/$jobId", params: { jobId: job.id }, search: { tab: "versions", from: left, to: right }, replace: true });
  const askRestore = async (version: number): Promise<void> => {
    const yes = await confirm({ title: `Restore version ${version}?`, text: `What version ${version} says is saved as version ${job.version + 1}. Nothing that came after is lost.`, verb: "Restore it" });
    if (yes) restore.mutate(version, {
      onSuccess: ({ data }) => { toastDone(`Version ${version} is back, as version ${data.version}.`); void navigate({ to: "/jobs/$jobId", params: { jobId: job.id }, search: { tab: "versions" } }); },
      onError: (error) => toastProblem("It could not be restored", error),
    });
  };
  const isShown = from !== undefined && to !== undefined && from >= 1 && to >= 1 && from <= job.version && to <= job.version;
  const choose = (label: string, value: number, onChange: (version: number) => void) => (
    <Select aria-label={label} data={numbers} value={String(value)} w={84} allowDeselect={false} searchable onChange={(next) => { if (next !== null) onChange(Number(next)); }} />
  );
  return (
    <Stack gap="sm">
      {isShown && (
        <section aria-label="Comparison">
          <Group gap="xs" mb="xs">
            <Text fw={600}>Version</Text>
            {choose("Older version", from, (next) => compare(next, to))}
            <span aria-hidden="true">→</span>
            {choose("Newer version", to, (next) => compare(from, next))}
            <Allowed permission="jobs:write" unless={from === job.version ? "That is the version of now." : null}>
              <Button variant="default" loading={restore.isPending} onClick={() => void askRestore(from)}>Restore version {from}</Button>
            </Allowed>
            <Button variant="subtle" onClick={() => void navigate({ to: "/jobs/$jobId", params: { jobId: job.id }, search: { tab: "versions" } })}>Close the comparison</Button>
          </Group>
          <Compared jobId={job.id} from={from} to={to} />
        </section>
      )}
      <DataTable label="Versions" rows={versions} columns={columns(job.id)} idOf={({ version }) => String(version)} hasMore={query.hasNextPage}
        onEnd={() => { if (query.hasNextPage && !query.isFetchingNextPage) void query.fetchNextPage(); }}
        onOpen={({ version }) => compare(version === job.version ? Math.max(version - 1, 1) : version, job.version)} />
    </Stack>
  );
};
