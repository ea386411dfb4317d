import { ActionIcon, Button, Menu, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { Copy, Download, EllipsisVertical, Pause, Pencil, Play, Power, Trash2 } from "lucide-react";
import { type SubmitEvent, useState } from "react";

import { useRefusal } from "@/api/me";
import { legible } from "@/lib/text";
import { Allowed } from "@/ui/allowed";
import { confirm } from "@/ui/confirm";
import { toastDone, toastProblem } from "@/ui/toasts";

import { type JobDetail, jobUsesQuery, readText, useDeleteJob, useSetActive } from "./api";
import { openRunDialog } from "./run-dialog";

const saveFile = (name: string, text: string): void => {
  const url = URL.createObjectURL(new Blob([text], { type: "application/yaml" }));
  const link = Object.assign(document.createElement("a"), { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1_000);
};

/** `Restart: the spooler!` → `restart-the-spooler.yaml`. */
const fileName = (job: string): string => `${job.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "") || "job"}.yaml`;

const Deactivate = ({ opened, onClose, onReason }: { opened: boolean; onClose: () => void; onReason: (reason: string) => void }) => {
  const [reason, setReason] = useState("");
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (reason.trim() === "") return;
    onReason(reason.trim());
    onClose();
  };
  return (
    <Modal opened={opened} onClose={onClose} title="Deactivate this job" closeButtonProps={{ "aria-label": "Close" }}>
      <form onSubmit={submit}>
        <Stack>
          <Text size="sm">Runs are refused from now on, telling this reason. Runs under way go on.</Text>
          <TextInput label="Reason" required data-autofocus value={reason} maxLength={500} placeholder="The vendor mends the script" onChange={(event) => setReason(event.currentTarget.value)} />
          <Button type="submit">Deactivate</Button>
        </Stack>
      </form>
    </Modal>
  );
};

/** What can be done with one job. */
export const JobActions = ({ job }: { job: JobDetail }) => {
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [asking, setAsking] = useState(false);
  const setActive = useSetActive(job.id);
  const remove = useDeleteJob(job.id);
  const mayChange = useRefusal("jobs:write");

  const turn = (reason: string | null): void =>
    setActive.mutate(reason, {
      onSuccess: () => toastDone(reason === null ? `${job.name} can be run again.` : `${job.name} refuses runs now.`),
      onError: (error) => toastProblem("That could not be changed", error),
    });
  const download = (): void => void readText(job.id).then(({ text }) => saveFile(fileName(job.name), text), (error: unknown) => toastProblem("It could not be downloaded", error));
  const askDelete = async (): Promise<void> => {
    const uses = await queries.query({ ...jobUsesQuery(job.id), staleTime: 0 }).catch(() => null);
    const open = (uses?.versions ?? []).reduce((all, version) => all + version.open, 0);
    const shared = (uses?.filters ?? []).filter((filter) => filter.shared);
    const yes = await confirm({
      title: `Delete ${job.name}?`,
      text: (
        <>
          {open > 0 ? <p><b>{open} of its runs {open === 1 ? "is" : "are"} under way</b> and will go on to the end.</p> : null}
          {shared.length > 0 ? <p>Shared filters show its runs: {shared.map(({ name }) => legible(name)).join(", ")}.</p> : null}
          <p>Its runs and their logs stay. Whatever starts it by its name or id will be refused.</p>
        </>
      ),
      verb: "Delete it",
      danger: true,
    });
    if (yes) remove.mutate(undefined, {
      onSuccess: () => { toastDone(`${job.name} is deleted.`); void navigate({ to: "/jobs", search: {} }); },
      onError: (error) => toastProblem("It could not be deleted", error),
    });
  };
  return (
    <>
      <Allowed permission="runs:start"><Button leftSection={<Play size={15} />} onClick={() => openRunDialog(job.id)}>Run</Button></Allowed>
      <Allowed permission="jobs:write">
        <Button variant="default" leftSection={<Pencil size={15} />} component={Link} to={`/jobs/${job.id}/edit`}>Edit</Button>
      </Allowed>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target><ActionIcon variant="default" size={30} aria-label="More"><EllipsisVertical size={16} /></ActionIcon></Menu.Target>
        <Menu.Dropdown>
          {mayChange !== null && <Menu.Label maw={260}>{mayChange}</Menu.Label>}
          {job.active
            ? <Menu.Item leftSection={<Pause size={15} />} disabled={mayChange !== null} onClick={() => setAsking(true)}>Deactivate…</Menu.Item>
            : <Menu.Item leftSection={<Power size={15} />} disabled={mayChange !== null} onClick={() => turn(null)}>Activate</Menu.Item>}
          <Menu.Item leftSection={<Copy size={15} />} disabled={mayChange !== null} onClick={() => void navigate({ to: "/jobs/new", search: { copy: job.id } })}>Copy…</Menu.Item>
          <Menu.Item leftSection={<Download size={15} />} onClick={download}>Download YAML</Menu.Item>
          <Menu.Divider />
          <Menu.Item leftSection={<Trash2 size={15} />} color="red" disabled={mayChange !== null} onClick={() => void askDelete()}>Delete…</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Deactivate opened={asking} onClose={() => setAsking(false)} onReason={turn} />
    </>
  );
};
