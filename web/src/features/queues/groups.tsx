import { useQuery } from "@tanstack/react-query";

import { legible } from "@/lib/text";
import { ErrorState } from "@/ui/states/states";
import { Ago } from "@/ui/time";

import { groupsQuery } from "./api";
import classes from "./queues.module.css";
import { causeOf, messageWords } from "./words";

/** Open letters that died alike, the largest group first; choosing one narrows the list to it. */
export const Groups = ({ chosen, onChoose }: { chosen: string | undefined; onChoose: (cause: string | undefined) => void }) => {
  const query = useQuery(groupsQuery);
  if (query.isError && !query.data) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  const groups = query.data ?? [];
  if (groups.length === 0) return null;
  return (
    <ul className={classes.groups} aria-label="Open dead letters by cause">
      {groups.map((group) => {
        const cause = causeOf(group);
        return (
          <li key={cause + (group.wire_type ?? "")}>
            <button type="button" className={classes.group} aria-pressed={cause === chosen} onClick={() => onChoose(cause === chosen ? undefined : cause)}>
              <strong>{group.count}</strong>
              <span className="cut" title={legible(group.error)}>
                {messageWords(group.wire_type)} <span className="quiet">{legible(group.error)}</span>
              </span>
              <span className={classes.when}>last <Ago at={group.last_at} /></span>
            </button>
          </li>
        );
      })}
    </ul>
  );
};
