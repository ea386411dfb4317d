// A Linux machine of one's own: the sandbox's SSH host in a process of its own, that nothing knows of yet.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

export const startSshHost = async ({ username, password }) => {
  const child = spawn(process.env.OPS_WEB_PYTHON ?? "python3", ["-m", "infra.sandbox"], {
    cwd: ROOT,
    env: { ...process.env, PYTHONPATH: ROOT, OPS_SANDBOX_USERNAME: username, OPS_SANDBOX_PASSWORD: password },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise((_, reject) => child.once("exit", (code) => reject(new Error(`The SSH host ended with ${code}.`))));
  ended.catch(() => undefined);
  const [line] = await Promise.race([new Promise((resolve) => createInterface(child.stdout).once("line", (text) => resolve([text]))), ended]);
  return { port: JSON.parse(line).ssh.port, stop: () => child.kill("SIGTERM") };
};
