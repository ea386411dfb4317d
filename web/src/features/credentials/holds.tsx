import { Alert, Button, Group, List, Modal, Stack, Text, Textarea } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type SubmitEvent, useState } from "react";

import { Allowed } from "@/ui/allowed";
import { FormAlert } from "@/ui/forms/form-alert";
import { formProblems } from "@/ui/forms/problems";
import { Ago } from "@/ui/time";
import { toastDone } from "@/ui/toasts";

import { type Credential, credentialKeys, releaseCredential } from "./api";

/** Where it is to be tried again; null is everywhere. */
export interface Place {
  id: string;
  name: string;
}

const ReleaseForm = ({ credential, place, onClose }: { credential: Credential; place: Place | null; onClose: () => void }) => {
  const queries = useQueryClient();
  const [reason, setReason] = useState("");
  const release = useMutation({
    mutationFn: () => releaseCredential(credential.id, reason.trim(), place?.id ?? null),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: credentialKeys.all });
      void queries.invalidateQueries({ queryKey: ["targets"] });
      toastDone(`${credential.name} may be tried again${place ? ` on ${place.name}` : ""}.`);
      onClose();
    },
  });
  const problems = formProblems(release.error, ["reason"]);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    release.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <Text>
          The same secret is tried again {place ? <>on <bdi>{place.name}</bdi></> : "wherever it is used"}. If it is wrong, it is rejected once more, and some
          machines lock an account after a few rejections. If the password was changed, rotate the credential instead.
        </Text>
        <Textarea label="Why it will work now" description="Kept in the audit trail." placeholder="The account was locked and is open again" required data-autofocus rows={2}
          value={reason} onChange={(event) => setReason(event.currentTarget.value)} error={problems.of("reason")} />
        <FormAlert text={problems.general} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>Leave it on hold</Button>
          <Button type="submit" loading={release.isPending}>Release</Button>
        </Group>
      </Stack>
    </form>
  );
};

/** Why it is on hold, by whom it was rejected, and the two ways out. */
export const Holds = ({ credential, onRotate }: { credential: Credential; onRotate: () => void }) => {
  const [releasing, setReleasing] = useState<{ place: Place | null } | null>(null);
  const everywhere = credential.held_at !== null;
  if (!everywhere && credential.holds.length === 0) return null;
  return (
    <Alert color={everywhere ? "red" : "orange"} variant="light" role="alert"
      title={everywhere ? "On hold: it is tried nowhere" : "On hold on some targets; it goes on elsewhere"}>
      <Stack gap="xs">
        {credential.held_reason !== null && <Text>{credential.held_reason} <Ago at={credential.held_at} /></Text>}
        <List spacing={4} size="sm">
          {credential.holds.map((hold) => (
            <List.Item key={hold.target_id}>
              <Link to="/targets/$targetId" params={{ targetId: hold.target_id }}><bdi>{hold.target}</bdi></Link>
              {": "}<bdi>{hold.reason}</bdi> <span className="quiet"><Ago at={hold.held_at} />, found by {hold.run_id === null ? "a connection test" : <Link to="/runs/$runId" params={{ runId: hold.run_id }}>a run</Link>}</span>{" "}
              {(!everywhere || credential.holds.length > 1) && (
                <Allowed permission="credentials:write">
                  <Button size="compact-xs" variant="subtle" aria-label={`Release here: ${hold.target}`}
                    onClick={() => setReleasing({ place: { id: hold.target_id, name: hold.target } })}>Release here</Button>
                </Allowed>
              )}
            </List.Item>
          ))}
        </List>
        <Group gap="xs">
          <Allowed permission="credentials:write"><Button onClick={onRotate}>Rotate…</Button></Allowed>
          <Allowed permission="credentials:write"><Button variant="default" onClick={() => setReleasing({ place: null })}>Release…</Button></Allowed>
        </Group>
      </Stack>
      <Modal opened={releasing !== null} onClose={() => setReleasing(null)} title={`Release ${credential.name}`} closeButtonProps={{ "aria-label": "Close" }}>
        {releasing && <ReleaseForm credential={credential} place={releasing.place} onClose={() => setReleasing(null)} />}
      </Modal>
    </Alert>
  );
};
