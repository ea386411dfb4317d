import { Button, Group, Select, SimpleGrid, Stack, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, type SubmitEvent, useState } from "react";

import { type Me, meQuery } from "@/api/me";
import { FormAlert } from "@/ui/forms/form-alert";
import { formProblems } from "@/ui/forms/problems";
import { Keyed } from "@/ui/keyed";
import { Page } from "@/ui/page";
import { Panel } from "@/ui/panel";
import { ErrorState, Loading } from "@/ui/states/states";
import { Moment } from "@/ui/time";
import { toastDone, toastProblem } from "@/ui/toasts";

import { changeMe, signOutEverywhere } from "./api";
import classes from "./me.module.css";
import { Sessions } from "./sessions";

const ZONES: readonly string[] = ["UTC", ...Intl.supportedValuesOf("timeZone").filter((zone) => zone !== "UTC")];

const ProfileForm = ({ me }: { me: Me }) => {
  const queries = useQueryClient();
  const [name, setName] = useState(me.name ?? "");
  const [zone, setZone] = useState(me.time_zone);
  const save = useMutation({
    mutationFn: () => changeMe({ name: name.trim() || null, time_zone: zone }),
    onSuccess: (now) => {
      queries.setQueryData(meQuery.queryKey, now);
      toastDone("Saved.");
    },
  });
  const problems = formProblems(save.error, ["name", "time_zone"]);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <TextInput label="Full name" description="Shown beside what you do." value={name} onChange={(event) => setName(event.currentTarget.value)} error={problems.of("name")} />
        <Select label="Time zone" placeholder="As this browser" searchable clearable clearButtonProps={{ "aria-label": "As this browser" }} data={ZONES} limit={60} value={zone}
          onChange={setZone} error={problems.of("time_zone")} />
        <FormAlert text={problems.general} />
        <Group justify="flex-end"><Button type="submit" loading={save.isPending}>Save</Button></Group>
      </Stack>
    </form>
  );
};

const Account = ({ me, onChangePassword }: { me: Me; onChangePassword: () => void }) => (
  <Stack gap="sm">
    <Keyed rows={[
      ["User name", me.username],
      ["Role", me.role],
      ["May", <span key="may" className="quiet">{me.permissions.join(", ")}</span>],
      ["Since", <Moment key="since" at={me.created_at} />],
    ]} />
    <Group justify="flex-end"><Button variant="default" onClick={onChangePassword}>Change password…</Button></Group>
  </Stack>
);

export const MePage = ({ onChangePassword }: { onChangePassword: () => void }): ReactNode => {
  const query = useQuery(meQuery);
  if (query.isPending) return <Loading label="Loading your profile" />;
  if (query.isError) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  const endAll = <Button variant="light" color="red" onClick={() => void signOutEverywhere().catch((error: unknown) => toastProblem("You are still signed in", error))}>Sign out everywhere</Button>;
  return (
    <Page title="You">
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="sm" mb="sm">
        <Panel title="Profile"><ProfileForm key={query.data.id} me={query.data} /></Panel>
        <Panel title="Account"><Account me={query.data} onChangePassword={onChangePassword} /></Panel>
      </SimpleGrid>
      <Panel title="Sessions" actions={endAll}><div className={classes.scroll}><Sessions /></div></Panel>
    </Page>
  );
};
