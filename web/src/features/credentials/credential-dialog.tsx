import { Modal } from "@mantine/core";

import type { CredentialAsked } from "./asking";
import { CredentialForm } from "./credential-form";

/** Answers `askCredential`. */
const CredentialDialog = ({ asked }: { asked: CredentialAsked }) => (
  <Modal opened onClose={() => asked.answer(null)} title="New credential" size="lg" closeButtonProps={{ "aria-label": "Close" }} zIndex={300} closeOnClickOutside={false}>
    <CredentialForm key={asked.opening} type={asked.type} onDone={asked.answer} onCancel={() => asked.answer(null)} />
  </Modal>
);

export default CredentialDialog;
