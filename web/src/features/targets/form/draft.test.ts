import { expect, test } from "vitest";

import type { Target } from "@/features/targets/api";
import { differences, draftOf, EMPTY, overrideOf, plainFingerprint, portOf, specOf, tagMap, tagWords } from "./draft";

const TARGET: Target = {
  id: "t", name: "win-1", os: "windows", hostname: "10.0.0.1", credential_id: "c", credential_name: "ops", pool: "dmz", tags: { env: "prod", old: "" },
  winrm: {
    scheme: "https", port: null, path: "/wsman", transport: "ntlm", message_encryption: "auto", allow_basic_over_http: false, proxy: null,
    kerberos_hostname_override: null, kerberos_delegation: false, verify_tls: false, ca_bundle: null, fingerprint: null, oem_codepage: "cp850", max_concurrent: 2,
  },
  ssh: { port: 2222, host_key: "ssh-ed25519 AAAA", max_concurrent: 3, jump_host: { target: "bastion" } },
  facts: null, facts_at: null, labels: {}, version: 4, last_test: null, last_run: null, warnings: [], created_by: "user:1", created_at: "", updated_at: "",
};

test("a target that is opened and saved untouched stays as it was, whatever it speaks", () => {
  const { name, os, hostname, credential_id, pool, tags, winrm, ssh } = TARGET;
  expect(specOf(draftOf(TARGET))).toEqual({ name, os, hostname, credential_id, pool, tags, winrm, ssh });
});

test("tags go there and back; only the first = divides", () => {
  expect(tagMap(["env=prod", "old", "note=a=b"])).toEqual({ env: "prod", old: "", note: "a=b" });
  expect(tagWords({ env: "prod", old: "" })).toEqual(["env=prod", "old"]);
});

test("the port follows the scheme until one is given", () => {
  expect(portOf(EMPTY)).toBe(5986);
  expect(portOf({ ...EMPTY, winrm: { ...EMPTY.winrm, scheme: "http" } })).toBe(5985);
  expect(portOf({ ...EMPTY, winrmPort: 443 })).toBe(443);
});

test.each([["AB:cd:01", "abcd01"], ["  ", null], [null, null], ["SHA256:ab", "ab"]])("the fingerprint %s is stored as %s", (typed, stored) =>
  expect(plainFingerprint(typed)).toBe(stored),
);

test("a test of a draft speaks only of the protocol that its system has", () => {
  expect(overrideOf({ ...EMPTY, hostname: "h" })).not.toHaveProperty("winrm");
  expect(overrideOf({ ...EMPTY, os: "windows", hostname: "h" })).not.toHaveProperty("ssh");
});

test("what two people changed is told field by field, and nothing else", () => {
  const mine = specOf({ ...draftOf(TARGET), name: "win-one", tags: ["old", "env=prod"] });
  const theirs = specOf({ ...draftOf(TARGET), jumpHost: "", winrm: { ...TARGET.winrm, verify_tls: true } });
  expect(differences(theirs, mine).map(({ field, theirs: a, mine: b }) => [field, a, b])).toEqual([
    ["name", "win-1", "win-one"], ["winrm.verify_tls", "yes", "no"], ["ssh.jump_host", "–", "target=bastion"],
  ]);
});
