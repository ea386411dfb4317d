import { Menu } from "@mantine/core";
import { useCallback, useState } from "react";

export interface RowAction {
  label: string;
  run: () => void;
  danger?: boolean;
  /** Why it cannot be done; it stays in the menu and says so. */
  refusal?: string | null;
}

export interface OpenMenu {
  /** Of what the actions are, for screen readers. */
  name: string;
  actions: readonly RowAction[];
  opener: HTMLElement;
}

export const useRowMenu = () => {
  const [open, setOpen] = useState<OpenMenu | null>(null);
  const close = useCallback(() => setOpen(null), []);
  return { open, setOpen, close };
};

/** One menu for all rows, placed at the button that opened it: components in cells halve the frame rate. */
export const RowMenu = ({ open, onClose }: { open: OpenMenu; onClose: () => void }) => {
  const place = open.opener.getBoundingClientRect();
  const close = (): void => {
    onClose();
    open.opener.focus({ preventScroll: true });
  };
  return (
    <Menu opened onChange={(stays) => { if (!stays) close(); }} position="bottom-end" withinPortal returnFocus={false} transitionProps={{ duration: 0 }}>
      <Menu.Target>
        <span style={{ position: "fixed", left: place.left, top: place.top, width: place.width, height: place.height, pointerEvents: "none" }} />
      </Menu.Target>
      <Menu.Dropdown aria-label={`What to do with ${open.name}`}>
        {open.actions.map(({ label, run, danger, refusal = null }) => (
          <Menu.Item key={label} {...(danger ? { color: "red" } : {})} aria-disabled={refusal !== null} title={refusal ?? undefined}
            className={refusal === null ? "" : "quiet"} closeMenuOnClick={refusal === null} onClick={() => { if (refusal === null) run(); }}>
            {label}
            {refusal !== null && <span style={{ display: "block", maxWidth: 260, fontSize: 12, whiteSpace: "normal" }}>{refusal}</span>}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
};
