import { Accordion, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { Panel } from "@/ui/panel";
import { ErrorState, Loading } from "@/ui/states/states";
import { TEST_STATUS } from "@/ui/status";
import { StatusMark } from "@/ui/status-badge";
import { Moment } from "@/ui/time";

import { type ConnectionTest, type Target, targetTestsQuery } from "./api";
import { Stages } from "./testing/stages";
import { TestPanel } from "./testing/test-panel";

const Earlier = ({ tests }: { tests: readonly ConnectionTest[] }) => (
  <Accordion variant="separated" mt="sm" chevronPosition="left">
    {tests.map((test) => (
      <Accordion.Item key={test.id} value={test.id}>
        <Accordion.Control>
          <StatusMark look={TEST_STATUS[test.status]} /> <Text span size="sm"><Moment at={test.requested_at} /></Text>
          {test.unsaved && <Text span size="sm" c="dimmed"> · of unsaved settings</Text>}
          {test.error && <Text span size="sm" c="dimmed"> · {test.error.code}</Text>}
        </Accordion.Control>
        <Accordion.Panel><Stages test={test} /></Accordion.Panel>
      </Accordion.Item>
    ))}
  </Accordion>
);

/** The newest test in full, with the button for another; earlier ones below. */
export const ConnectionPanel = ({ target }: { target: Target }) => {
  const query = useQuery(targetTestsQuery(target.id));
  const tests = query.data?.items ?? [];
  const newest = tests.find(({ unsaved }) => !unsaved) ?? null;
  const earlier = tests.filter((test) => test !== newest);
  return (
    <Panel title="Connection">
      {query.isPending ? <Loading rows={5} label="Loading tests" /> : query.isError ? <ErrorState error={query.error} onRetry={() => void query.refetch()} /> : (
        <>
          {newest === null && <Text size="sm" c="dimmed" mb="xs">Nobody has tested the connection yet. A test goes from the name to the sign-in, stage by stage, and says where it ends.</Text>}
          <TestPanel targetId={target.id} transport={target.os === "windows" ? "winrm" : "ssh"} last={newest} />
          {earlier.length > 0 && <><Text mt="md" size="sm" fw={600}>Earlier tests</Text><Earlier tests={earlier} /></>}
        </>
      )}
    </Panel>
  );
};
