import { lazy, Suspense, useState } from "react";

import { useRunAsked } from "./run-dialog";

const RunDrawer = lazy(() => import("./run-drawer"));

/** Stands once in the shell; the dialog itself is loaded when it is first asked for. */
export const RunDialogHost = () => {
  const asked = useRunAsked();
  const [wanted, setWanted] = useState(false);
  if (asked && !wanted) setWanted(true);
  return wanted ? (
    <Suspense fallback={null}>
      <RunDrawer asked={asked} />
    </Suspense>
  ) : null;
};
