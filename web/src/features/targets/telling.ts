/** What became of many targets, said once. */
import { messageOf } from "@/lib/problem";
import { toastDone, toastProblem } from "@/ui/toasts";

import type { Target } from "./api";
import type { Outcome } from "./in-turn";

export const named = (targets: readonly Target[]): string => (targets.length === 1 ? (targets[0]?.name ?? "") : `${targets.length} targets`);

export const report = (verb: string, { done, failures }: Outcome<Target>): void => {
  if (done.length > 0) toastDone(`${named(done)} ${verb}.`);
  const [first] = failures;
  if (first) toastProblem(`${named(failures.map(({ item }) => item))} could not be ${verb}`, new Error(`${first.item.name}: ${messageOf(first.error)}`));
};
