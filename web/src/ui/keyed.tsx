import type { ReactNode } from "react";

import classes from "./keyed.module.css";

/** Names and what they stand for, in two columns; on narrow screens one below the other. */
export const Keyed = ({ rows }: { rows: readonly (readonly [name: string, value: ReactNode])[] }) => (
  <dl className={classes.list}>
    {rows.map(([name, value]) => (
      <div key={name} className={classes.row}>
        <dt>{name}</dt>
        <dd>{value}</dd>
      </div>
    ))}
  </dl>
);
