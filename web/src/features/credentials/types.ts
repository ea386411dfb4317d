/** What each kind of credential is called and holds. Total: a new kind does not compile until it stands here. */
import type { CredentialType, Secrets } from "./api";

export type SecretName = keyof Secrets;

export interface SecretField {
  name: SecretName;
  label: string;
  hint?: string;
  /** Several lines, such as a key. */
  long?: boolean;
  required?: boolean;
}

/** One way to prove who one is; a kind has at least one. */
export interface Proof {
  id: string;
  label: string;
  fields: readonly SecretField[];
}

interface Kind {
  label: string;
  forWhat: string;
  username: { label: string; hint?: string; required: boolean } | null;
  proofs: readonly Proof[];
}

const SUDO: SecretField = {
  name: "sudo_password", label: "Password for sudo", hint: "Only where sudo asks for one.",
};

export const KINDS: Readonly<Record<CredentialType, Kind>> = {
  winrm: {
    label: "Windows account",
    forWhat: "Signs in to Windows machines over WinRM.",
    username: { label: "User name", hint: "A local account (ops) or a domain's: DOMAIN\\ops or ops@example.com.", required: true },
    proofs: [{ id: "password", label: "Password", fields: [{ name: "password", label: "Password", required: true }] }],
  },
  ssh: {
    label: "SSH account",
    forWhat: "Signs in to Linux machines over SSH.",
    username: { label: "User name", required: true },
    proofs: [
      {
        id: "key",
        label: "Private key",
        fields: [
          {
            name: "private_key", label: "Private key", long: true, required: true,
            hint: "The whole file, from -----BEGIN to END-----. Its public half belongs in ~/.ssh/authorized_keys there.",
          },
          { name: "passphrase", label: "Passphrase of the key", hint: "Empty if the key has none." },
          SUDO,
        ],
      },
      { id: "password", label: "Password", fields: [{ name: "password", label: "Password", required: true }, SUDO] },
    ],
  },
  certificate: {
    label: "Client certificate",
    forWhat: "Signs in to Windows machines that map certificates to accounts, over HTTPS.",
    username: null,
    proofs: [
      {
        id: "certificate",
        label: "Certificate",
        fields: [
          { name: "certificate", label: "Certificate (PEM)", long: true, required: true, hint: "Its own certificate first, then the chain if there is one." },
          { name: "private_key", label: "Private key (PEM)", long: true, required: true },
          { name: "passphrase", label: "Passphrase of the key", hint: "Empty if the key has none." },
        ],
      },
    ],
  },
  api_key: {
    label: "API key",
    forWhat: "A token that http.request steps send.",
    username: { label: "User name", hint: "Only where the other side wants one beside the token.", required: false },
    proofs: [{ id: "token", label: "Token", fields: [{ name: "token", label: "Token", long: true, required: true }] }],
  },
};

export const TYPES = Object.keys(KINDS) as CredentialType[];
