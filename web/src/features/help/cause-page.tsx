import { Anchor } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { Page } from "@/ui/page";
import { EmptyState, ErrorState, Loading } from "@/ui/states/states";

import { type CauseHelp, causesQuery } from "./api";
import classes from "./help.module.css";
import { parts, placeOf } from "./words";

const Words = ({ text }: { text: string }) => parts(text).map((part, index) => (part.code ? <code key={index}>{part.text}</code> : <span key={index}>{part.text}</span>));

const Settings = ({ cause }: { cause: CauseHelp }) => (
  <>
    <h2>Where it is decided</h2>
    <ul className={classes.steps}>
      {cause.settings.map((setting) => {
        const { name, of } = placeOf(setting);
        return <li key={setting}><code>{name}</code> <span className="quiet">{of}</span></li>;
      })}
    </ul>
  </>
);

const Told = ({ cause }: { cause: CauseHelp }) => (
  <article className={classes.cause}>
    <p className={`${classes.says ?? ""} mono`}>{cause.message}</p>
    <h2>Why</h2>
    <p><Words text={cause.why} /></p>
    <h2>What to do</h2>
    <ul className={classes.steps}>{cause.steps.map((step) => <li key={step}><Words text={step} /></li>)}</ul>
    {cause.settings.length > 0 && <Settings cause={cause} />}
    <h2>Is it tried again?</h2>
    <p><Words text={cause.retry_words} /></p>
  </article>
);

/** One cause of failures: what happened, why, and what to do. */
export const CausePage = ({ code }: { code: string }): ReactNode => {
  const causes = useQuery(causesQuery);
  const cause = causes.data?.find((one) => one.code === code);
  const all = <Anchor component={Link} to="/help/causes" size="sm">All causes</Anchor>;
  return (
    <Page title={cause?.title ?? "Help"} mark={<span className="mono quiet">{code}</span>} actions={all}>
      {causes.isPending && <Loading label="Loading the help" />}
      {causes.isError && <ErrorState error={causes.error} onRetry={() => void causes.refetch()} />}
      {cause && <Told cause={cause} />}
      {causes.data && !cause && <EmptyState title="There is no such cause">Nothing is written about “{code}”. It may be the name of a newer version.</EmptyState>}
    </Page>
  );
};
