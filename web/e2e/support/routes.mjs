// Every address of the client, for what looks at all of them: `route` as the router names it, `path` to go to it.
// A test beside the router (src/routes/router.test.ts) fails for a route that is missing here.
const newest = async (api, path) => (await api.get(path)).items[0]?.id;
const job = (rest) => async (api) => `/jobs/${await newest(api, "/api/v1/jobs?limit=1")}${rest}`;
/** The newest run with failures to show, or else the newest. */
const run = (rest) => async (api) =>
  `/runs/${(await newest(api, "/api/v1/runs?limit=1&status=failed")) ?? (await newest(api, "/api/v1/runs?limit=1"))}${rest}`;
/** Nothing when no message was ever refused. */
const letter = async (api) => {
  const id = await newest(api, "/api/v1/dlq?limit=1");
  return id && `/queues/letters/${id}`;
};
const at = (path) => () => path;

export const OPEN_ROUTES = [{ name: "login", route: "/login", path: at("/login") }];

export const ROUTES = [
  { name: "dashboard", route: "/", path: at("/") },
  { name: "queues", route: "/queues", path: at("/queues") },
  { name: "letters", route: "/queues", path: at("/queues?show=letters") },
  { name: "letters-filtered-empty", route: "/queues", path: at("/queues?show=letters&q=no-such-letter") },
  { name: "letter", route: "/queues/letters/$letterId", path: letter },
  { name: "workers", route: "/workers", path: at("/workers") },
  { name: "runs", route: "/runs", path: at("/runs") },
  { name: "runs-filtered-empty", route: "/runs", path: at("/runs?target=no-such-target") },
  { name: "jobs", route: "/jobs", path: at("/jobs") },
  { name: "jobs-filtered-empty", route: "/jobs", path: at("/jobs?name=no-such-job") },
  { name: "job", route: "/jobs/$jobId", path: job("") },
  { name: "job-runs", route: "/jobs/$jobId", path: job("?tab=runs") },
  { name: "job-versions", route: "/jobs/$jobId", path: job("?tab=versions&from=1&to=1") },
  { name: "job-editor", route: "/jobs/$jobId/edit", path: job("/edit") },
  { name: "job-new", route: "/jobs/new", path: at("/jobs/new") },
  { name: "run", route: "/runs/$runId", path: run("") },
  { name: "run-results", route: "/runs/$runId", path: run("?tab=results") },
  { name: "run-parameters", route: "/runs/$runId", path: run("?tab=parameters") },
  { name: "run-definition", route: "/runs/$runId", path: run("?tab=definition") },
  { name: "run-trail", route: "/runs/$runId", path: run("?tab=trail") },
  { name: "run-log", route: "/runs/$runId/log", path: run("/log") },
  { name: "welcome", route: "/welcome", path: at("/welcome") },
  { name: "targets", route: "/targets", path: at("/targets") },
  { name: "targets-filtered-empty", route: "/targets", path: at("/targets?name=no-such-target") },
  { name: "target", route: "/targets/$targetId", path: async (api) => `/targets/${await newest(api, "/api/v1/targets?limit=1")}` },
  { name: "target-import", route: "/targets/import", path: at("/targets/import") },
  { name: "credentials", route: "/credentials", path: at("/credentials") },
  { name: "credential", route: "/credentials/$credentialId", path: async (api) => `/credentials/${await newest(api, "/api/v1/credentials?limit=1")}` },
  { name: "users", route: "/users", path: at("/users") },
  { name: "me", route: "/me", path: at("/me") },
  { name: "causes", route: "/help/causes", path: at("/help/causes") },
  { name: "cause", route: "/help/causes/$code", path: at("/help/causes/auth_rejected") },
  { name: "not-here", route: "*", path: at("/no/such/page") },
  { name: "password", route: "/password", path: at("/password") },
];

/** Wait until nothing is loading any more. */
export const settle = async (page) => {
  await page.locator("h1").first().waitFor();
  await page.waitForFunction(() => !document.querySelector('[role="status"][aria-label^="Loading"]'));
  await page.evaluate(() => document.fonts.ready);
};
