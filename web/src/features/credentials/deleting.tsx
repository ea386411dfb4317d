import { useMutation, useQueryClient } from "@tanstack/react-query";

import { confirm } from "@/ui/confirm";
import { toastDone, toastProblem } from "@/ui/toasts";

import { type Credential, credentialKeys, credentialQuery, deleteCredential } from "./api";
import { UsedBy } from "./used-by";

const Consequences = ({ used }: { used: Credential["used_by"] }) => (
  <>
    {used.targets > 0 && <p><strong>Targets are left without a credential</strong>: runs on them fail until they are given another.</p>}
    {used.jobs > 0 && <p><strong>Steps that name it fail</strong> until their jobs name another.</p>}
    <UsedBy used={used} />
  </>
);

/** Tells what uses a credential as of now, asks, and deletes it. */
export const useDeleting = (onDone: () => void = () => undefined) => {
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: ({ id, force }: { id: string; force: boolean }) => deleteCredential(id, force),
    onSuccess: () => {
      toastDone("The credential was deleted.");
      onDone();
    },
    onError: (error) => toastProblem("It was not deleted", error),
    onSettled: () => queries.invalidateQueries({ queryKey: credentialKeys.list }),
  });
  const deleting = async ({ id }: Credential): Promise<void> => {
    try {
      const { data: now } = await queries.query({ ...credentialQuery(id), staleTime: 0 });
      const force = now.used_by.targets + now.used_by.jobs > 0;
      const yes = await confirm({
        title: `Delete ${now.name}?`, text: <Consequences used={now.used_by} />, verb: force ? "Delete it all the same" : "Delete it", danger: true,
      });
      if (yes) remove.mutate({ id, force });
    } catch (error) {
      toastProblem("It could not be found out what uses it", error);
    }
  };
  return { deleting, isPending: remove.isPending };
};
