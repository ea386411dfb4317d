import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { count } from "@/lib/span";
import { legible } from "@/lib/text";
import { confirm } from "@/ui/confirm";
import { toastProblem } from "@/ui/toasts";

import { deleteTarget, type Target, targetKeys, targetUsesQuery } from "./api";
import { inTurn } from "./in-turn";
import { named, report } from "./telling";
import { needing, type TargetUses, UsesList } from "./uses";

/** Beyond so many, what uses them is not looked up; those that are needed are refused and told. */
const LOOKED_AT = 50;

type Looked = readonly { target: Target; uses: TargetUses }[];

const Consequences = ({ looked, beyond }: { looked: Looked; beyond: number }): ReactNode => {
  const needed = looked.filter(({ uses }) => needing(uses) > 0);
  const used = looked.filter(({ uses }) => uses.jobs.length + uses.behind.length > 0);
  return (
    <>
      <p>Taken out of use. Past runs keep names and output.</p>
      {needed.length > 0 && <p><strong>What names {needed.length === 1 ? "it" : "them"} fails from then on.</strong></p>}
      {used.map(({ target, uses }) => (
        <div key={target.id}>
          {looked.length > 1 && <strong>{legible(target.name)}</strong>}
          <UsesList uses={uses} />
        </div>
      ))}
      {used.length === 0 && <p>No job names or selects {looked.length === 1 ? "it" : "them"}.</p>}
      {beyond > 0 && <p>{count(beyond, "more target")} {beyond === 1 ? "is" : "are"} deleted as well, unless something names {beyond === 1 ? "it" : "them"}.</p>}
    </>
  );
};

/** Tells what uses targets, asks, and deletes them. */
export const useDeleting = (onDone: (deleted: readonly Target[]) => void = () => undefined) => {
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: ({ targets, needed }: { targets: readonly Target[]; needed: ReadonlySet<string> }) =>
      inTurn(targets, ({ id }) => deleteTarget(id, needed.has(id))),
    onSuccess: (outcome) => {
      report("deleted", outcome);
      onDone(outcome.done);
    },
    onSettled: () => queries.invalidateQueries({ queryKey: targetKeys.lists }),
  });
  const deleting = async (targets: readonly Target[]): Promise<void> => {
    const asked = targets.slice(0, LOOKED_AT).map(async (target) => ({ target, uses: await queries.query({ ...targetUsesQuery(target.id), staleTime: 0 }) }));
    try {
      const looked = await Promise.all(asked);
      const needed = new Set(looked.filter(({ uses }) => needing(uses) > 0).map(({ target }) => target.id));
      const yes = await confirm({
        title: `Delete ${named(targets)}?`, text: <Consequences looked={looked} beyond={targets.length - looked.length} />,
        verb: needed.size > 0 ? "Delete all the same" : targets.length === 1 ? "Delete it" : "Delete", danger: true,
      });
      if (yes) remove.mutate({ targets, needed });
    } catch (error) {
      toastProblem("It could not be found out what uses them", error);
    }
  };
  return { deleting, isPending: remove.isPending };
};
