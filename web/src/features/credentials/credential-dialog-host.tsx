import { lazy, Suspense } from "react";

import { useCredentialAsked } from "./asking";

const Dialog = lazy(() => import("./credential-dialog"));

/** Loads the dialog when it is first asked for. */
export const CredentialDialogHost = () => {
  const asked = useCredentialAsked();
  return asked === null ? null : <Suspense fallback={null}><Dialog asked={asked} /></Suspense>;
};
