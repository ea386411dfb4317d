import { Button, Group, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";

import { Allowed } from "@/ui/allowed";

import type { ConnectionTest } from "@/features/targets/api";
import { pairs } from "./stage-words";
import classes from "./testing.module.css";

/** What can be trusted from now on, as the API takes it. */
export type Pinnable = { host_key: string } | { fingerprint: string };

interface Props {
  test: ConnectionTest;
  onPin: (seen: Pinnable) => void;
  pinning: boolean;
}

const Seen = ({ title, print, pinned, verb, compare, children, onPin, pinning }: {
  title: string; print: string; pinned: boolean; verb: string; compare: ReactNode; children?: ReactNode; onPin: () => void; pinning: boolean;
}) => (
  <div className={classes.seen}>
    <Group justify="space-between" wrap="wrap" gap="xs">
      <Text fw={600}>{title}</Text>
      {pinned ? <span className="status tone-ok"><span aria-hidden="true">✓</span>Pinned</span> : (
        <Allowed permission="targets:write"><Button onClick={onPin} loading={pinning}>{verb}</Button></Allowed>
      )}
    </Group>
    <code className={`${classes.print ?? ""} mono`}>{print}</code>
    {children}
    {!pinned && <Text size="sm" c="dimmed">{compare}</Text>}
  </div>
);

const FIRST_USE = "Pinning trusts what answered just now, and nothing else from then on. Whoever stood in between today would be trusted too, so compare it first: ";

const KeyComparison = (
  <>{FIRST_USE}on the machine itself run <span className="mono">ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub</span> (or the file of the kind shown) and look for the same text.</>
);

const CertificateComparison = (
  <>{FIRST_USE}on the machine itself run <span className="mono">certutil -store My</span>, or ask whoever issued the certificate for its SHA-256 fingerprint.</>
);

/** The keys or the certificate that the machine showed, to compare and to pin. */
export const PresentedIdentity = ({ test, onPin, pinning }: Props) => {
  const { host_keys: keys = [], certificate } = test.presented;
  if (keys.length === 0 && !certificate) return null;
  return (
    <Stack gap="xs" aria-label="What the machine showed" component="section">
      {keys.map((key) => (
        <Seen key={key.fingerprint} title={`Host key, ${key.algorithm}`} print={key.fingerprint} pinned={key.pinned} verb="Pin this key" compare={KeyComparison}
          onPin={() => onPin({ host_key: key.key })} pinning={pinning} />
      ))}
      {certificate && (!certificate.trusted || certificate.pinned) && (
        <Seen title="Certificate" print={`SHA256 ${pairs(certificate.fingerprint)}`} pinned={certificate.pinned} verb="Pin this certificate" compare={CertificateComparison}
          onPin={() => onPin({ fingerprint: certificate.fingerprint })} pinning={pinning}>
          <Text size="sm">
            <bdi>{certificate.subject}</bdi>, issued by <bdi>{certificate.issuer}</bdi>, good from {certificate.not_before.slice(0, 10)} to {certificate.not_after.slice(0, 10)}
            {certificate.names.length > 0 && <>, for <bdi>{certificate.names.join(", ")}</bdi></>}
          </Text>
        </Seen>
      )}
    </Stack>
  );
};
