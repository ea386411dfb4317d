// Every page of the client in both schemes: nothing that axe can find, nothing that the console tells.
import assert from "node:assert/strict";
import { before } from "node:test";

import { ensureJob, startRun, untilEnded } from "./support/api.mjs";
import { COLOURS, violations } from "./support/axe.mjs";
import { checks, until } from "./support/check.mjs";
import { NO_BROKER, poison } from "./support/poison.mjs";
import { OPEN_ROUTES, ROUTES, settle } from "./support/routes.mjs";

const { check, tab, stranger, theApi } = checks();
const PARTS = 3;
const everywhere = ROUTES.filter(({ name }) => !NO_BROKER || name !== "letter");
let api;

/** The newest target and the newest credential are those that warn. */
const aHeldCredential = async () => {
  const { items } = await api.get("/api/v1/targets?name=sample-linux-server");
  const { hostname, ssh: { port, host_key } } = items[0];
  const name = `held-${Date.now().toString(36)}`;
  const { id: credential_id } = await api.post("/api/v1/credentials", { name, type: "ssh", username: "nobody", password: "not-the-one" });
  await api.post("/api/v1/targets", { name, os: "linux", hostname, credential_id, ssh: { port, host_key } });
  const job = await ensureJob(api, { name, targets: [name], steps: [{ name: "knock", type: "ssh.exec", command: "true" }] });
  assert.equal(await untilEnded(api, await startRun(api, job)), "failed");
  assert.equal((await api.get(`/api/v1/credentials/${credential_id}`)).holds.length, 1);
};

before(async () => {
  api = await theApi();
  const failing = await ensureJob(api, { name: "Always fails", targets: ["sample-linux-server"], steps: [{ name: "fail", type: "ssh.exec", command: "echo no; exit 3" }] });
  if ((await api.get("/api/v1/runs?limit=1&status=failed")).items.length === 0) await untilEnded(api, await startRun(api, failing));
  await aHeldCredential();
  if (NO_BROKER || (await api.get("/api/v1/dlq?limit=1")).items.length > 0) return;
  await poison();
  await until(async () => (await api.get("/api/v1/dlq?limit=1")).items.length > 0);
});

const lookAt = async (page, { name, path }) => {
  const address = await path(api);
  assert.ok(address, `${name}: there is nothing to look at`);
  await page.goto(address);
  await settle(page);
  const faults = (await violations(page)).map((fault) => `${name}: ${fault}`);
  await page.emulateMedia({ colorScheme: "dark" });
  faults.push(...(await violations(page, COLOURS)).map((fault) => `${name} in dark: ${fault}`));
  await page.emulateMedia({ colorScheme: "light" });
  return faults;
};

const lookThrough = async (page, routes) => {
  const faults = [];
  for (const route of routes) faults.push(...(await lookAt(page, route)));
  assert.deepEqual(faults, []);
};

check("the entrance has no fault that axe can find, in light and dark", async () => lookThrough(await stranger(), OPEN_ROUTES));

for (let part = 0; part < PARTS; part += 1) {
  const routes = everywhere.filter((_, index) => Math.floor((index * PARTS) / everywhere.length) === part);
  check(`no fault that axe can find, in light and dark: ${routes.map(({ name }) => name).join(", ")}`, async () => lookThrough(await tab(), routes), { within: 400_000 });
}
