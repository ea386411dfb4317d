import { useQuery } from "@tanstack/react-query";

import { type JobDetail, jobQuery } from "@/features/jobs/api";
import type { RunDetail } from "@/features/runs/api";

/** The job as it is now when that is no longer what ran; null while that is unknown, or when nothing has changed. */
export const useNewest = (run: RunDetail, wanted = true): JobDetail | null => {
  const { data } = useQuery({ ...jobQuery(run.job_id), enabled: wanted, retry: false });
  return data && data.version > run.job_version ? data : null;
};
