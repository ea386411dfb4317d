import { Kbd, Modal } from "@mantine/core";
import { useDisclosure, useHotkeys } from "@mantine/hooks";

import classes from "./shell.module.css";

export interface KeyGroup {
  title: string;
  keys: readonly (readonly [key: string, what: string])[];
}

const EVERYWHERE: KeyGroup = {
  title: "Everywhere",
  keys: [["Ctrl K", "go to, or do"], ["?", "this sheet"], ["/", "to the filter of the list"], ["Esc", "close what is open"]],
};

const LISTS: KeyGroup = {
  title: "In lists",
  keys: [["j", "one row down"], ["k", "one row up"], ["x", "select the row"], ["Enter", "open the row"]],
};

/** What the keys do; `?` opens it. `groups` are those of the rooms. */
export const KeySheet = ({ groups }: { groups: readonly KeyGroup[] }) => {
  const [opened, { open, close }] = useDisclosure();
  useHotkeys([["shift+?", open], ["?", open]]);
  return (
    <Modal opened={opened} onClose={close} title="Keys" size="lg" closeButtonProps={{ "aria-label": "Close" }}>
      <div className={classes.keys}>
        {[EVERYWHERE, LISTS, ...groups].map(({ title, keys }) => (
          <section key={title} aria-label={title}>
            <h2 className={classes.keysTitle}>{title}</h2>
            <dl>
              {keys.map(([key, what]) => (
                <div key={key}>
                  <dt>{key.split(" ").map((one) => <Kbd key={one} size="xs">{one}</Kbd>)}</dt>
                  <dd>{what}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Modal>
  );
};
