import { useState } from "react";

import { Later } from "@/ui/later";

import { closeRunDialog, useRunAsked } from "./run-dialog";

const load = () => import("./run-drawer");

/** Stands once in the shell; the dialog itself is loaded when it is first asked for. */
export const RunDialogHost = () => {
  const asked = useRunAsked();
  const [wanted, setWanted] = useState(false);
  if (asked && !wanted) setWanted(true);
  const giveUp = (): void => {
    closeRunDialog();
    setWanted(false);
  };
  return wanted ? (
    <Later name="The form to run a job" load={load} onGiveUp={giveUp}>{(RunDrawer) => <RunDrawer asked={asked} />}</Later>
  ) : null;
};
