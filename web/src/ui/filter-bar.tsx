import { Button, Group } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { SlidersHorizontal } from "lucide-react";
import { Children, type ReactNode, useId, useRef, useState } from "react";

import classes from "./filter-bar.module.css";

/**
 * The line above a list: filters, then whatever saves them, then the count. `/` goes to the first input. On narrow
 * screens all but the first filter wait behind a button.
 */
export const FilterBar = ({ children, saved, count }: { children: ReactNode; saved?: ReactNode; count?: string }) => {
  const bar = useRef<HTMLDivElement>(null);
  const rest = useId();
  const [open, setOpen] = useState(false);
  useHotkeys([["/", () => bar.current?.querySelector("input")?.focus()]]);
  const [first, ...others] = Children.toArray(children);
  return (
    <Group ref={bar} gap="xs" mb="xs" role="search">
      <span className={classes.first}>{first}</span>
      {others.length > 0 && (
        <Button className={classes.more ?? ""} variant="default" size="sm" aria-expanded={open} aria-controls={rest} leftSection={<SlidersHorizontal size={15} aria-hidden="true" />}
          onClick={() => setOpen(!open)}>
          Filters
        </Button>
      )}
      <span id={rest} className={`${classes.rest} ${open ? classes.open : ""}`}>{others}</span>
      {saved}
      {count !== undefined && <span className={`quiet ${classes.count}`} aria-live="polite">{count}</span>}
    </Group>
  );
};
