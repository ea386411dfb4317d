import { TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";

import { Page } from "@/ui/page";
import { ErrorState, FilteredEmpty, Loading } from "@/ui/states/states";

import { causesQuery } from "./api";
import classes from "./help.module.css";
import { found, grouped } from "./words";

/** Every cause that anything can fail for, to look one up. */
export const CausesPage = (): ReactNode => {
  const causes = useQuery(causesQuery);
  const [typed, setTyped] = useState("");
  const shown = found(causes.data ?? [], typed);
  return (
    <Page title="When something fails" actions={<TextInput aria-label="Find a cause" placeholder="Find: password, port, sudo…" value={typed} onChange={(event) => setTyped(event.currentTarget.value)} />}>
      {causes.isPending && <Loading label="Loading the help" />}
      {causes.isError && <ErrorState error={causes.error} onRetry={() => void causes.refetch()} />}
      {causes.data && shown.length === 0 && <FilteredEmpty what="causes" onClear={() => setTyped("")} />}
      {grouped(shown).map(([group, inside]) => (
        <section key={group} aria-label={group}>
          <h2 className={classes.group}>{group}</h2>
          <ul className={classes.list}>
            {inside.map(({ code, title }) => (
              <li key={code}><Link to="/help/causes/$code" params={{ code }} className="mono">{code}</Link><span>{title}</span></li>
            ))}
          </ul>
        </section>
      ))}
    </Page>
  );
};
