import { Anchor, Button, Group, Modal, SimpleGrid, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";

import { Allowed } from "@/ui/allowed";
import { History } from "@/ui/history";
import { Keyed } from "@/ui/keyed";
import { Page } from "@/ui/page";
import { Panel } from "@/ui/panel";
import { ErrorState, Loading } from "@/ui/states/states";
import { StatusMark } from "@/ui/status-badge";
import { Moment } from "@/ui/time";

import { credentialQuery } from "./api";
import { useDeleting } from "./deleting";
import { Holds } from "./holds";
import { RenameForm } from "./rename-form";
import { RotateForm } from "./rotate-form";
import { standingOf } from "./standing";
import { KINDS } from "./types";
import { UsedBy, usedWords } from "./used-by";

export const CredentialPage = ({ credentialId }: { credentialId: string }): ReactNode => {
  const navigate = useNavigate();
  const query = useQuery(credentialQuery(credentialId));
  const [form, setForm] = useState<"rotate" | "rename" | null>(null);
  const { deleting, isPending } = useDeleting(() => void navigate({ to: "/credentials" }));
  if (query.isPending) return <Loading label="Loading the credential" />;
  if (query.isError) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  const { data: credential, etag } = query.data;
  const close = (): void => setForm(null);
  return (
    <Page title={credential.name} mark={<StatusMark look={standingOf(credential)} />}
      actions={
        <>
          <Allowed permission="credentials:write"><Button onClick={() => setForm("rotate")}>Rotate…</Button></Allowed>
          <Allowed permission="credentials:write"><Button variant="default" onClick={() => setForm("rename")}>Edit…</Button></Allowed>
          <Allowed permission="credentials:write"><Button variant="light" color="red" loading={isPending} onClick={() => void deleting(credential)}>Delete…</Button></Allowed>
        </>
      }>
      <Stack gap="sm">
        <Group gap={6} c="dimmed"><Anchor component={Link} to="/credentials">Credentials</Anchor> / <span className="cut"><bdi>{credential.name}</bdi></span></Group>
        <Holds credential={credential} onRotate={() => setForm("rotate")} />
        <SimpleGrid cols={{ base: 1, md: 2 }} spacing="sm">
          <Panel title="What it is">
            <Keyed rows={[
              ["Kind", KINDS[credential.type].label],
              ["User name", credential.username || <span className="quiet">none</span>],
              ["Secret", <span key="secret" className="quiet">sealed; nobody can read it</span>],
              ["Version", credential.version],
              ["Changed", <Moment key="changed" at={credential.updated_at} />],
              ["Made", <Moment key="made" at={credential.created_at} />],
            ]} />
          </Panel>
          <Panel title={`Used by ${usedWords(credential.used_by)}`}>
            <UsedBy used={credential.used_by} />
          </Panel>
        </SimpleGrid>
        <History kind="credential" id={credentialId} />
      </Stack>
      <Modal opened={form !== null} onClose={close} size="lg" title={form === "rotate" ? `Rotate ${credential.name}` : `Edit ${credential.name}`}
        closeButtonProps={{ "aria-label": "Close" }} closeOnClickOutside={false}>
        {form === "rotate" && <RotateForm credential={credential} onClose={close} />}
        {form === "rename" && <RenameForm credential={credential} etag={etag} onClose={close} />}
      </Modal>
    </Page>
  );
};
