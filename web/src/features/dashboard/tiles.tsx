import { Link, type LinkProps } from "@tanstack/react-router";

import { OPEN, type Stats } from "./api";
import classes from "./dashboard.module.css";
import { tilesOf, UNHAPPY } from "./numbers";

/** Where each tile leads: to the list it counts, with the filter it counts by. */
const LEADS: Readonly<Record<string, LinkProps>> = {
  open: { to: "/runs", search: { status: [...OPEN] } },
  failed: { to: "/runs", search: { status: [...UNHAPPY], since: "24h" } as never },
  unknown: { to: "/runs", search: { status: ["unknown"] } },
  backlog: { to: "/queues" },
  workers: { to: "/workers" },
  letters: { to: "/queues", search: { show: "letters" } },
};

export const Tiles = ({ stats }: { stats: Stats }) => (
  <ul className={classes.tiles}>
    {tilesOf(stats).map(({ id, title, figure, note, tone }) => (
      <li key={id}>
        <Link {...LEADS[id]} className={`${classes.tile} tone-${tone}`}>
          <span className={classes.title}>{title}</span>
          <span className={classes.figure}>{figure}</span>
          <span className={classes.note}>{note}</span>
        </Link>
      </li>
    ))}
  </ul>
);
