import { AppShell, Burger } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import type { ReactNode } from "react";

import { LiveBadge } from "./live-badge";
import { PaletteLauncher } from "./palette-launcher";
import { SchemeButton } from "./scheme-button";
import classes from "./shell.module.css";

/** Header, navigation and the room. `navigation` is given a function that closes it on small screens. */
export const Shell = ({ brand, navigation, user, children }: {
  brand: (className: string) => ReactNode;
  navigation: (close: () => void, className: string) => ReactNode;
  user: ReactNode;
  children: ReactNode;
}) => {
  const [opened, { toggle, close }] = useDisclosure();
  return (
    <>
      <a className="skip-link" href="#content">Skip to the content</a>
      <AppShell header={{ height: 48 }} navbar={{ width: 200, breakpoint: "sm", collapsed: { mobile: !opened } }} padding="md">
        <AppShell.Header className={classes.header ?? ""}>
          <Burger opened={opened} onClick={toggle} hiddenFrom="sm" size="sm" aria-label={opened ? "Close the navigation" : "Open the navigation"} />
          {brand(classes.brand ?? "")}
          <LiveBadge />
          <span className={classes.space} />
          <PaletteLauncher />
          <SchemeButton />
          {user}
        </AppShell.Header>
        <AppShell.Navbar className={classes.nav ?? ""} aria-label="Rooms">
          {navigation(close, classes.link ?? "")}
        </AppShell.Navbar>
        <AppShell.Main id="content" tabIndex={-1} className={classes.main ?? ""}>
          {children}
        </AppShell.Main>
      </AppShell>
    </>
  );
};
