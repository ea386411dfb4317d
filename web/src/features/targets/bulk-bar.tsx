import { Button, Group, Modal, Paper, Stack, TagsInput, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";

import { Allowed } from "@/ui/allowed";
import { toastDone, toastProblem } from "@/ui/toasts";

import { readTarget, replaceTarget, type Target, targetKeys, testMany } from "./api";
import { useDeleting } from "./deleting";
import { draftOf, specOf, tagMap } from "./form/draft";
import { inTurn } from "./in-turn";
import { named, report } from "./telling";

const TESTS_AT_ONCE = 500;

/** Changes the tags of a target as it is now, and nothing else; somebody faster is never overwritten. */
const tag = async ({ id }: Target, add: Record<string, string>, remove: readonly string[]): Promise<void> => {
  const { data: now, etag } = await readTarget(id);
  const kept = Object.fromEntries(Object.entries(now.tags).filter(([name]) => !remove.includes(name)));
  await replaceTarget(id, { ...specOf(draftOf(now)), tags: { ...kept, ...add } }, etag);
};

const TagForm = ({ targets, onDone, onCancel }: { targets: readonly Target[]; onDone: () => void; onCancel: () => void }) => {
  const queries = useQueryClient();
  const [add, setAdd] = useState<string[]>([]);
  const [remove, setRemove] = useState<string[]>([]);
  const tagging = useMutation({
    mutationFn: () => inTurn(targets, (target) => tag(target, tagMap(add), remove)),
    onSuccess: (outcome) => { report("tagged", outcome); onDone(); },
    onSettled: () => queries.invalidateQueries({ queryKey: targetKeys.all }),
  });
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    tagging.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <TagsInput label="Add" description="A word, or name=value; a value that is there is replaced. Enter adds." placeholder="env=prod" data-autofocus acceptValueOnBlur value={add} onChange={setAdd} />
        <TagsInput label="Take away" description="By name, whatever the value." acceptValueOnBlur data={[...new Set(targets.flatMap(({ tags }) => Object.keys(tags)))]} value={remove} onChange={setRemove} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onCancel}>Cancel</Button>
          <Button type="submit" loading={tagging.isPending} disabled={add.length + remove.length === 0}>Tag {named(targets)}</Button>
        </Group>
      </Stack>
    </form>
  );
};

/** What can be done with the targets that are selected. */
export const BulkBar = ({ targets, onDone }: { targets: readonly Target[]; onDone: () => void }) => {
  const queries = useQueryClient();
  const [tagging, setTagging] = useState(false);
  const readAgain = (): Promise<void> => queries.invalidateQueries({ queryKey: targetKeys.all });
  const test = useMutation({
    mutationFn: () => testMany(targets.map(({ id }) => id)),
    onSuccess: ({ items }) => toastDone(`${items.length === 1 ? "1 test is" : `${items.length} tests are`} under way; results appear in the list.`),
    onError: (error) => toastProblem("No test was started", error),
    onSettled: readAgain,
  });
  const { deleting, isPending } = useDeleting(onDone);
  if (targets.length === 0) return null;
  return (
    <Paper withBorder px="sm" py={6} mb="xs">
      <Group gap="xs">
        <Text fw={600} size="sm" aria-live="polite">{targets.length} selected</Text>
        <Allowed permission="targets:test" unless={targets.length > TESTS_AT_ONCE ? `At most ${TESTS_AT_ONCE} at once.` : null}>
          <Button loading={test.isPending} onClick={() => test.mutate()}>Test connection</Button>
        </Allowed>
        <Allowed permission="targets:write"><Button variant="default" onClick={() => setTagging(true)}>Tag…</Button></Allowed>
        <Allowed permission="targets:write"><Button variant="light" color="red" loading={isPending} onClick={() => void deleting(targets)}>Delete…</Button></Allowed>
        <Button variant="subtle" onClick={onDone}>Clear selection</Button>
      </Group>
      <Modal opened={tagging} onClose={() => setTagging(false)} title={`Tag ${named(targets)}`} closeButtonProps={{ "aria-label": "Close" }}>
        <TagForm targets={targets} onDone={() => { setTagging(false); onDone(); }} onCancel={() => setTagging(false)} />
      </Modal>
    </Paper>
  );
};
