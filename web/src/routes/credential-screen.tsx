import { useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { CredentialPage } from "@/features/credentials/credential-page";

export const CredentialScreen = (): ReactNode => {
  const { credentialId } = useParams({ from: "/shell/credentials/$credentialId" });
  return <CredentialPage key={credentialId} credentialId={credentialId} />;
};
