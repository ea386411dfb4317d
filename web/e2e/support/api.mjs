// The API for checks: what they need to exist is made as a program would make it, not by clicking.
export const openApi = async (url, { username, password }) => {
  const send = async (method, path, { body, token, headers = {} } = {}) =>
    fetch(url + path, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(method === "POST" ? { "idempotency-key": crypto.randomUUID() } : {}),
        ...headers,
      },
    });
  const answer = await send("POST", "/api/login", { body: { username, password } });
  if (!answer.ok) throw new Error(`${username} cannot sign in: ${answer.status} ${await answer.text()}`);
  const { access_token: token, refresh_token: session } = await answer.json();
  const ask = async (method, path, body) => {
    const answer = await send(method, path, { body, token });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text !== "" && answer.headers.get("content-type")?.startsWith("application/json") ? JSON.parse(text) : text;
  };
  return { session, get: (path) => ask("GET", path), post: (path, body) => ask("POST", path, body), delete: (path) => ask("DELETE", path) };
};

const find = async (api, path, name) => (await api.get(`${path}?limit=200`)).items.find((item) => item.name === name);

/** Targets that all are the sandbox's Linux host under names of their own. */
export const ensureTargets = async (api, names) => {
  const { id } = await find(api, "/api/v1/targets", "sample-linux-server");
  const { hostname, credential_id, ssh } = await api.get(`/api/v1/targets/${id}`);
  const known = new Set((await api.get("/api/v1/targets?limit=200")).items.map(({ name }) => name));
  for (const name of names) {
    if (known.has(name)) continue;
    await api.post("/api/v1/targets", { name, os: "linux", hostname, credential_id, ssh: { port: ssh.port, host_key: ssh.host_key } });
  }
};

export const ensureJob = async (api, definition) =>
  (await find(api, "/api/v1/jobs", definition.name))?.id ?? (await api.post("/api/v1/jobs", definition)).id;

export const startRun = async (api, jobId, parameters = {}) => (await api.post(`/api/v1/jobs/${jobId}/run`, { parameters })).id;

/** The status of a run once it has ended. */
export const untilEnded = async (api, runId, within = 120_000) => {
  const limit = Date.now() + within;
  for (;;) {
    const { status, ended_at } = await api.get(`/api/v1/runs/${runId}`);
    if (ended_at) return status;
    if (Date.now() > limit) throw new Error(`Run ${runId} is still ${status}.`);
    await new Promise((wake) => setTimeout(wake, 200));
  }
};
