/** The job that the first run carries out: harmless, and quick to read. */
import { queryOptions } from "@tanstack/react-query";

import { api, body, creating, type Schemas } from "@/api/client";

import { runJob, type Target, type TargetOs } from "@/features/targets/api";
import { SIMULATED } from "./welcome";

interface Sample {
  name: string;
  /** What it does, for people. */
  does: string;
}

/** Those that come with the sandbox; they run on its machines as they are. */
const SANDBOX: Readonly<Record<TargetOs, Sample>> = {
  linux: { name: "Sample Linux Countdown", does: "counts down from five with small pauses, so that you see the output arrive" },
  windows: { name: "Sample Windows Service Restart", does: "restarts the simulated machine's print spooler and says how it is" },
};

const FIRST_LOOK: Readonly<Record<TargetOs, Sample & { step: Record<string, unknown> }>> = {
  linux: {
    name: "First look (Linux)", does: "reads what the machine is, how long it has been up and how full its disk is; it changes nothing",
    step: { name: "look", type: "ssh.exec", command: "uname -a\nuptime\ndf -h /\n", timeoutSec: 60 },
  },
  windows: {
    name: "First look (Windows)", does: "reads the machine's name, its Windows and its services that should run and do not; it changes nothing",
    step: {
      name: "look", type: "winrm.exec", shell: "powershell", timeoutSec: 60,
      command: "hostname\n$PSVersionTable.PSVersion.ToString()\nGet-Service | Where-Object { $_.StartType -eq 'Automatic' -and $_.Status -ne 'Running' } | Select-Object Name, Status\n",
    },
  },
};

export const isSimulated = ({ tags }: Target): boolean => SIMULATED in tags;

export const sampleFor = (target: Target): Sample => (isSimulated(target) ? SANDBOX : FIRST_LOOK)[target.os];

/** What it will run, word for word; null where the job says so itself. */
export const commandFor = (target: Target): string | null => (isSimulated(target) ? null : String(FIRST_LOOK[target.os].step.command));

const find = async (name: string): Promise<Schemas["JobView"] | undefined> =>
  (await body(api.GET("/api/v1/jobs", { params: { query: { name, limit: 200 } } }))).items.find((job) => job.name === name);

const make = async ({ os, name: target }: Target, key: string): Promise<string> => {
  const { name, step } = FIRST_LOOK[os];
  const definition = { name, description: "Made by the first steps.", steps: [{ ...step, target }] };
  return (await body(api.POST("/api/v1/jobs", { params: { header: creating(`${key}-job`) }, body: definition }))).id;
};

/** Makes the job if need be, and runs it there. Pressed twice with one `key`, it runs once. */
export const runSample = async (target: Target, key: string): Promise<string> => {
  const job = await find(sampleFor(target).name);
  const id = job?.id ?? (await make(target, key));
  return (await runJob(id, isSimulated(target) ? null : target.name, `${key}-run`)).id;
};

export const simulatedQuery = queryOptions({
  queryKey: ["targets", "simulated"],
  queryFn: ({ signal }) => body(api.GET("/api/v1/targets", { params: { query: { tag: [SIMULATED], limit: 20 } }, signal })),
});
