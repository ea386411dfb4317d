import { Button, Code, Group, Stack, Text, Title } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";

import { useMe } from "@/api/me";
import { randomKey } from "@/lib/ids";
import { Allowed } from "@/ui/allowed";
import { FormAlert } from "@/ui/forms/form-alert";
import { formProblems } from "@/ui/forms/problems";
import { Page } from "@/ui/page";
import { ErrorState, Loading } from "@/ui/states/states";

import { addressOf } from "@/features/targets/addressing";
import { type Target, targetQuery } from "@/features/targets/api";
import classes from "@/features/targets/targets.module.css";
import { TestPanel } from "@/features/targets/testing/test-panel";
import { ChooseMachine } from "./choose-machine";
import { commandFor, runSample, sampleFor } from "./sample";
import { skipWelcome } from "./welcome";

type StepState = "done" | "now" | "ahead";

const TONE: Readonly<Record<StepState, string>> = { done: "ok", now: "busy", ahead: "off" };

const Step = ({ number, title, state, aside, children }: { number: number; title: string; state: StepState; aside?: ReactNode; children?: ReactNode }) => (
  <li className={classes.step} data-state={state} {...(state === "now" ? { "aria-current": "step" as const } : {})}>
    <Group justify="space-between" wrap="nowrap">
      <Group gap="sm" wrap="nowrap">
        <span className={`${classes.number ?? ""} tone-${TONE[state]}`} aria-hidden="true">{state === "done" ? "✓" : number}</span>
        <Title order={2} {...(state === "ahead" ? { c: "dimmed" } : {})}>{title}</Title>
      </Group>
      {aside}
    </Group>
    {children !== undefined && <div style={{ marginTop: 12 }}>{children}</div>}
  </li>
);

const Sample = ({ target, ready }: { target: Target; ready: boolean }) => {
  const navigate = useNavigate();
  const [key] = useState(randomKey);
  const run = useMutation({ mutationFn: () => runSample(target, key), onSuccess: (runId) => navigate({ to: "/runs/$runId", params: { runId } }) });
  const { name, does } = sampleFor(target);
  const command = commandFor(target);
  return (
    <Stack gap="sm">
      <Text>“{name}” {does}.</Text>
      {command !== null && <Code block>{command}</Code>}
      <FormAlert text={formProblems(run.error, []).general} />
      <Group>
        <Allowed permission="runs:start" unless={ready ? null : "First make the test of the connection pass."}>
          <Button size="sm" loading={run.isPending} onClick={() => run.mutate()}>Run it and watch</Button>
        </Allowed>
      </Group>
    </Stack>
  );
};

const WithMachine = ({ target, onOther }: { target: Target; onOther: () => void }) => {
  const [passed, setPassed] = useState(target.last_test?.status === "succeeded");
  return (
    <>
      <Step number={2} title="A machine to run on" state="done" aside={<Button variant="subtle" onClick={onOther}>Take another</Button>}>
        <Text><Link to="/targets/$targetId" params={{ targetId: target.id }}><bdi>{target.name}</bdi></Link> <span className="mono quiet">{addressOf(target)}</span></Text>
      </Step>
      <Step number={3} title="Test the connection" state={passed ? "done" : "now"}>
        <TestPanel targetId={target.id} transport={target.os === "windows" ? "winrm" : "ssh"} onResult={({ status }) => setPassed(status === "succeeded")} start />
      </Step>
      <Step number={4} title="Run a job" state={passed ? "now" : "ahead"}>
        <Sample target={target} ready={passed} />
      </Step>
    </>
  );
};

const Chosen = ({ id, onOther }: { id: string; onOther: () => void }) => {
  const query = useQuery(targetQuery(id));
  if (query.isPending) return <li className={classes.step}><Loading rows={3} label="Loading the target" /></li>;
  if (query.isError) return <li className={classes.step}><ErrorState error={query.error} onRetry={onOther} /></li>;
  return <WithMachine key={id} target={query.data.data} onOther={onOther} />;
};

/** From an empty system to a green run. `targetId` stands in the address, so that a reload goes on where one was. */
export const WelcomePage = ({ targetId, onTarget }: { targetId: string | null; onTarget: (id: string | null) => void }): ReactNode => {
  const me = useMe();
  const navigate = useNavigate();
  const skip = (): void => {
    if (me) skipWelcome(me);
    void navigate({ to: "/" });
  };
  return (
    <Page title="Your first run" actions={<Button variant="default" onClick={skip}>Skip this</Button>}>
      <Text c="dimmed" mb="md" maw={860}>Three short steps to a job that has run on a machine. You find this page again in the menu at the top right.</Text>
      <ol className={classes.steps}>
        <Step number={1} title="Your own password" state="done" aside={<Text size="sm" c="dimmed">Signed in as {me?.username ?? "…"}</Text>} />
        {targetId === null ? (
          <>
            <Step number={2} title="A machine to run on" state="now"><ChooseMachine onChosen={({ id }) => onTarget(id)} /></Step>
            <Step number={3} title="Test the connection" state="ahead" />
            <Step number={4} title="Run a job" state="ahead" />
          </>
        ) : (
          <Chosen id={targetId} onOther={() => onTarget(null)} />
        )}
      </ol>
    </Page>
  );
};
