import { Kbd, UnstyledButton } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { Search } from "lucide-react";
import { useState } from "react";

import { Later } from "@/ui/later";

import classes from "./shell.module.css";

const load = () => import("./palette");

/** The search box in the header; the palette behind it is loaded when it is first asked for. */
export const PaletteLauncher = () => {
  const [wanted, setWanted] = useState(false);
  const open = () => {
    if (wanted) void import("@mantine/spotlight").then(({ spotlight }) => spotlight.open());
    else setWanted(true);
  };
  useHotkeys([["mod+K", open]], []);
  return (
    <>
      <UnstyledButton className={classes.search} onClick={open} onMouseEnter={() => void load().catch(() => undefined)} aria-label="Go to, or do… Ctrl K">
        <Search size={15} aria-hidden="true" />
        <span className={classes.searchText}>Go to, or do…</span>
        <Kbd size="xs" className={classes.searchKey}>Ctrl K</Kbd>
      </UnstyledButton>
      {wanted && <Later name="The palette" load={load} onGiveUp={() => setWanted(false)}>{(Palette) => <Palette />}</Later>}
    </>
  );
};
