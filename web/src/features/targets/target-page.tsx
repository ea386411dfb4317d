import { Alert, Anchor, Button, Group, SimpleGrid, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";

import { Allowed } from "@/ui/allowed";
import { History } from "@/ui/history";
import { Keyed } from "@/ui/keyed";
import { Page } from "@/ui/page";
import { Panel } from "@/ui/panel";
import { ErrorState, Loading } from "@/ui/states/states";
import { Moment } from "@/ui/time";

import { addressOf, OS_WORD, transportOf } from "./addressing";
import { type Target, targetQuery } from "./api";
import { LastTest, Tags } from "./columns";
import { ConnectionPanel } from "./connection-panel";
import { useDeleting } from "./deleting";
import { Facts } from "./facts";
import { TargetDrawer } from "./form/target-drawer";
import { RunHere, TargetRuns } from "./target-runs";
import { pairs } from "./testing/stage-words";
import { UsedBy } from "./uses";

const TITLE: Readonly<Record<Target["warnings"][number]["code"], string>> = {
  tls_unverified: "Its certificate is not checked", host_key_unpinned: "Its host key is not pinned yet", credential_held: "Its credential is on hold",
};

const Warnings = ({ target }: { target: Target }) =>
  target.warnings.map(({ code, message }) => (
    <Alert key={code} role="alert" variant="light" color={code === "host_key_unpinned" ? "orange" : "red"} title={TITLE[code]}>
      {message}
      {code === "credential_held" && target.credential_id !== null && (
        <> <Link to="/credentials/$credentialId" params={{ credentialId: target.credential_id }}>Release or rotate it</Link></>
      )}
    </Alert>
  ));

const pinOf = ({ os, ssh, winrm }: Target): ReactNode => {
  const pinned = os === "linux" ? ssh.host_key : winrm.fingerprint;
  if (pinned) return <span className="mono">{os === "linux" ? pinned : pairs(pinned)}</span>;
  if (os === "linux") return "No host key yet: test the connection to see and pin it";
  if (winrm.scheme === "http") return <span className="quiet">none: HTTP has no certificate, NTLM encrypts the messages</span>;
  return <span className="quiet">{winrm.verify_tls ? "none: its certificate is checked against trusted authorities" : "none, and not checked"}</span>;
};

const What = ({ target }: { target: Target }) => (
  <Keyed rows={[
    ["System", OS_WORD[target.os]],
    ["Address", <span key="address" className="mono">{addressOf(target)}</span>],
    ["Transport", transportOf(target)],
    ["Trusted", pinOf(target)],
    ["Credential", target.credential_id === null ? <span className="quiet">none</span> : (
      <Link key="credential" to="/credentials/$credentialId" params={{ credentialId: target.credential_id }}><bdi>{target.credential_name}</bdi></Link>
    )],
    ["Pool", target.pool],
    ["Tags", Object.keys(target.tags).length === 0 ? <span className="quiet">none</span> : <Tags key="tags" tags={target.tags} />],
    ...Object.entries(target.labels).map(([name, value]) => [`Label ${name}`, <bdi key={name}>{value}</bdi>] as const),
    ["Sessions at once", target.os === "linux" ? target.ssh.max_concurrent : target.winrm.max_concurrent],
    ["Version", <span key="version">{target.version}, changed <Moment at={target.updated_at} /></span>],
    ["Made", <Moment key="made" at={target.created_at} />],
  ]} />
);

export const TargetPage = ({ targetId }: { targetId: string }): ReactNode => {
  const navigate = useNavigate();
  const query = useQuery(targetQuery(targetId));
  const [open, setOpen] = useState<"edit" | "run" | null>(null);
  const { deleting, isPending } = useDeleting((deleted) => { if (deleted.length > 0) void navigate({ to: "/targets" }); });
  if (query.isPending) return <Loading label="Loading the target" />;
  if (query.isError) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  const { data: target } = query.data;
  return (
    <Page title={target.name} mark={<LastTest test={target.last_test} />} actions={
      <>
        <Allowed permission="runs:start"><Button onClick={() => setOpen("run")}>Run a job here…</Button></Allowed>
        <Allowed permission="targets:write"><Button variant="default" onClick={() => setOpen("edit")}>Edit…</Button></Allowed>
        <Allowed permission="targets:write"><Button variant="light" color="red" loading={isPending} onClick={() => void deleting([target])}>Delete…</Button></Allowed>
      </>
    }>
      <Stack gap="sm" pb="md">
        <Group gap={6} c="dimmed"><Anchor component={Link} to="/targets">Targets</Anchor> / <span className="cut"><bdi>{target.name}</bdi></span></Group>
        <Warnings target={target} />
        <SimpleGrid cols={{ base: 1, md: 2 }} spacing="sm" style={{ alignItems: "start" }}>
          <ConnectionPanel target={target} />
          <Stack gap="sm">
            <Panel title="How it is reached"><What target={target} /></Panel>
            <Panel title="Facts"><Facts target={target} /></Panel>
          </Stack>
        </SimpleGrid>
        <Panel title="Used by"><UsedBy targetId={targetId} /></Panel>
        <Panel title="Last runs here"><TargetRuns targetId={targetId} /></Panel>
        <History kind="target" id={targetId} />
      </Stack>
      <TargetDrawer opened={open === "edit"} edited={{ target, etag: query.data.etag }} onClose={() => setOpen(null)} />
      <RunHere target={target.name} opened={open === "run"} onClose={() => setOpen(null)} />
    </Page>
  );
};
