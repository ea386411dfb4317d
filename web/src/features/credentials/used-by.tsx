import { Stack, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";

import { count } from "@/lib/span";
import { legible } from "@/lib/text";

import type { Credential } from "./api";

type Used = Credential["used_by"];

const More = ({ all, shown }: { all: number; shown: number }) => (all > shown ? <Text size="sm" c="dimmed">and {all - shown} more</Text> : null);

/** `2 targets and 1 job`. */
export const usedWords = ({ targets, jobs }: Used): string =>
  [targets > 0 ? count(targets, "target") : "", jobs > 0 ? count(jobs, "job") : ""].filter(Boolean).join(" and ") || "nothing";

/** Targets that sign in with it, and jobs with a step that names it. */
export const UsedBy = ({ used }: { used: Used }) => {
  if (used.targets + used.jobs === 0) return <Text c="dimmed">No target signs in with it, and no step of a job names it.</Text>;
  return (
    <Stack gap="xs">
      {used.targets > 0 && (
        <Stack gap={2}>
          <Text size="sm" c="dimmed">{count(used.targets, "target")} {used.targets === 1 ? "signs" : "sign"} in with it</Text>
          {used.sample.map(({ id, name }) => <Link key={id} to="/targets/$targetId" params={{ targetId: id }}>{legible(name)}</Link>)}
          <More all={used.targets} shown={used.sample.length} />
        </Stack>
      )}
      {used.jobs > 0 && (
        <Stack gap={2}>
          <Text size="sm" c="dimmed">Steps of {count(used.jobs, "job")} name it</Text>
          {used.jobs_sample.map(({ id, name }) => <Link key={id} to="/jobs/$jobId" params={{ jobId: id }}>{legible(name)}</Link>)}
          <More all={used.jobs} shown={used.jobs_sample.length} />
        </Stack>
      )}
    </Stack>
  );
};
