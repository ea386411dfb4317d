import { ActionIcon, Menu } from "@mantine/core";
import { Copy } from "lucide-react";
import { Fragment } from "react";

import type { RunDetail } from "@/features/runs/api";
import { copyText } from "@/lib/clipboard";
import { toastDone, toastProblem } from "@/ui/toasts";

import { type Copied, copiesOf, type Part } from "./copying";

const copy = async ({ what, text }: Copied): Promise<void> => {
  if (await copyText(text)) toastDone(`${what} is copied.`);
  else toastProblem("Not copied", new Error("The browser does not let this page use the clipboard."));
};

/** The run to take along: its address, its numbers, and how to go on with it in a shell. */
export const CopyMenu = ({ run, part }: { run: RunDetail; part: Part }) => (
  <Menu position="bottom-end" withinPortal>
    <Menu.Target>
      <ActionIcon variant="default" size={30} aria-label="Copy…" title="Copy…"><Copy size={15} /></ActionIcon>
    </Menu.Target>
    <Menu.Dropdown>
      {copiesOf(run, part, window.location.href).map((group, index) => (
        <Fragment key={group[0]?.label}>
          {index > 0 && <Menu.Divider />}
          {group.map((one) => <Menu.Item key={one.label} onClick={() => void copy(one)}>{one.label}</Menu.Item>)}
        </Fragment>
      ))}
    </Menu.Dropdown>
  </Menu>
);
