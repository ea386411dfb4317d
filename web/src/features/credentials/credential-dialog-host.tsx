import { Later } from "@/ui/later";

import { useCredentialAsked } from "./asking";

const load = () => import("./credential-dialog");

/** Loads the dialog when it is first asked for. */
export const CredentialDialogHost = () => {
  const asked = useCredentialAsked();
  return asked === null ? null : (
    <Later name="The form of a credential" load={load} onGiveUp={() => asked.answer(null)}>{(Dialog) => <Dialog asked={asked} />}</Later>
  );
};
