import { Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { versionQuery } from "@/features/jobs/api";
import { Later } from "@/ui/later";
import { ErrorState, Loading } from "@/ui/states/states";

const load = () => import("@/ui/code/diff-view");

interface Props {
  jobId: string;
  /** The version that ran. */
  ran: number;
  newest: number;
}

/** What was changed in a job since the version that ran. */
export const VersionDifference = ({ jobId, ran, newest }: Props) => {
  const older = useQuery(versionQuery(jobId, ran));
  const newer = useQuery(versionQuery(jobId, newest));
  const failed = older.error ?? newer.error;
  if (failed) return <ErrorState error={failed} />;
  if (!older.data || !newer.data) return <Loading rows={4} label="Loading both versions" />;
  return (
    <>
      {older.data.text === newer.data.text && <Text size="sm" c="dimmed">Both say the same.</Text>}
      <Later name="The comparison" load={load} fallback={<Loading rows={4} label="Loading the comparison" />}>
        {(DiffView) => <DiffView left={older.data.text} right={newer.data.text} leftLabel={`Version ${ran}, that ran`} rightLabel={`Version ${newest}, the newest`} />}
      </Later>
    </>
  );
};
