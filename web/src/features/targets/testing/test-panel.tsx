import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { useEffect, useEffectEvent } from "react";

import { Allowed } from "@/ui/allowed";
import { FormAlert } from "@/ui/forms/form-alert";
import { formProblems } from "@/ui/forms/problems";
import { TEST_STATUS } from "@/ui/status";
import { StatusMark } from "@/ui/status-badge";
import { Moment } from "@/ui/time";
import { toastDone } from "@/ui/toasts";

import { type ConnectionTest, testEnded, type TestOverride } from "@/features/targets/api";
import { type Pinnable, PresentedIdentity } from "./presented";
import { Stages, StagesAhead } from "./stages";
import { useConnectionTest } from "./use-test";

interface Props {
  targetId: string;
  transport: ConnectionTest["transport"];
  /** What to test instead of what is stored; read when the button is pressed. */
  override?: (() => TestOverride) | undefined;
  /** With an override, a pin goes into the form instead of onto the target. */
  onPick?: ((seen: Pinnable) => void) | undefined;
  /** The newest result that is known already. */
  last?: ConnectionTest | null | undefined;
  /** Begin at once. */
  start?: boolean;
  onResult?: (test: ConnectionTest) => void;
}

const verdict = ({ status, unsaved }: ConnectionTest): string => {
  if (status === "succeeded") return unsaved ? "It works with what you have typed, which is not saved yet." : "Everything works: steps can run here.";
  return "It ended at the stage marked below.";
};

/** Tests a connection and shows what came of it, with the ways on: pin, try again, try although held. */
export const TestPanel = ({ targetId, transport, override, onPick, last = null, start = false, onResult }: Props) => {
  const { running, pinning } = useConnectionTest(targetId);
  const test = running.data ?? (running.isPending ? null : last);
  const begin = (evenIfHeld = false): void =>
    running.mutate({ evenIfHeld, ...(override ? { override: override() } : {}) }, onResult ? { onSuccess: onResult } : {});
  const beginAtOnce = useEffectEvent(() => begin());
  useEffect(() => {
    if (start) beginAtOnce();
  }, [start]);
  const pin = (seen: Pinnable): void => {
    if (!test) return;
    if (onPick) {
      onPick(seen);
      toastDone("It stands in the form now; test once more, then save.");
      return;
    }
    pinning.mutate({ test, seen }, { onSuccess: () => { toastDone("Pinned. Testing again."); begin(); } });
  };
  const held = test?.error?.code === "credential_held";
  const alerts = [formProblems(running.error, []).general, formProblems(pinning.error, []).general].filter((text) => text !== null);
  return (
    <Stack gap="sm" aria-live="polite">
      <Group gap="xs">
        <Allowed permission={override ? "targets:write" : "targets:test"}>
          <Button variant={test?.status === "succeeded" ? "default" : "filled"} loading={running.isPending} onClick={() => begin()}>
            {test ? "Test again" : "Test connection"}
          </Button>
        </Allowed>
        {held && (
          <Allowed permission="targets:test">
            <Button variant="default" disabled={running.isPending} onClick={() => begin(true)}>Try although it is on hold</Button>
          </Allowed>
        )}
        {test && testEnded(test) && <><StatusMark look={TEST_STATUS[test.status]} /><span className="quiet"><Moment at={test.ended_at} /></span></>}
      </Group>
      {alerts.map((text) => <FormAlert key={text} text={text} />)}
      {running.isPending && <StagesAhead transport={transport} />}
      {!running.isPending && test && (
        <>
          {testEnded(test) ? <Text size="sm">{verdict(test)}</Text> : (
            <Alert variant="light" color="gray">{test.waiting_for ?? "Under way. The result appears here."}</Alert>
          )}
          <Stages test={test} />
          <PresentedIdentity test={test} onPin={pin} pinning={pinning.isPending} />
        </>
      )}
    </Stack>
  );
};
