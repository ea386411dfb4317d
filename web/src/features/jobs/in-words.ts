/** What a job does, said in words. Pure. */

type Loose = Readonly<Record<string, unknown>>;

export interface StepWords {
  name: string;
  type: string;
  /** "Run PowerShell on web-1, web-2". */
  what: string;
  /** "up to 90 s · 3 attempts · goes on after a failure". */
  how: string;
  /** The script, shown as it stands. */
  script: string | null;
}

const isMap = (value: unknown): value is Loose => typeof value === "object" && value !== null && !Array.isArray(value);
const text = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);

const plain = (value: unknown): string => (typeof value === "string" || typeof value === "number" ? String(value) : "?");

const SHELLS: Readonly<Record<string, string>> = { powershell: "PowerShell", pwsh: "PowerShell 7", cmd: "cmd", sh: "sh", bash: "bash", python3: "Python" };

const cut = (value: string, most = 60): string => (value.length > most ? `${value.slice(0, most)}…` : value);

/** `web-1, web-2 and 3 more`, `whatever fits os:linux`; null when nothing is chosen. */
export const targetsInWords = (targets: unknown): string | null => {
  if (isMap(targets)) return text(targets.query) === null ? null : `whatever fits ${String(targets.query)}`;
  const names = [targets].flat().filter((name): name is string => typeof name === "string" && name !== "");
  if (names.length === 0) return null;
  return names.length > 4 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more` : names.join(", ");
};

const copied = (step: Loose): string => {
  const from = text(step.src) ?? (step.content_base64 === undefined ? "a file" : "the content given");
  return step.direction === "download" ? `Fetch ${cut(from)}` : `Copy ${cut(from)} to ${cut(text(step.dest) ?? "its place")}`;
};

const DOES: Readonly<Record<string, (step: Loose) => string>> = {
  "winrm.exec": (step) => `Run ${SHELLS[text(step.shell) ?? "powershell"] ?? String(step.shell)}`,
  "ssh.exec": (step) => `Run ${SHELLS[text(step.shell) ?? "sh"] ?? String(step.shell)}${isMap(step.sudo) || step.sudo === true ? " as another user" : ""}`,
  "ssh.script": (step) => `Run the file ${cut(text(step.src) ?? "given")}`,
  "winrm.copy": copied,
  "ssh.copy": copied,
  "http.request": (step) => `${text(step.method) ?? "GET"} ${cut(text(step.url) ?? "")}`,
  wait: (step) => `Wait ${plain(step.seconds)} s`,
  "wait.port": (step) => `Wait until port ${plain(step.port)} is ${text(step.state) ?? "open"}`,
  "wait.reboot": (step) => (step.reboot === false ? "Wait for a reboot" : "Reboot and wait until it is back"),
  facts: () => "Collect facts",
};

const TARGETLESS: ReadonlySet<string> = new Set(["wait"]);

const howOf = (step: Loose): string => {
  const retry = isMap(step.retry) && typeof step.retry.attempts === "number" && step.retry.attempts > 1 ? `${step.retry.attempts} attempts` : "";
  return [
    Array.isArray(step.needs) && step.needs.length > 0 ? `after ${step.needs.join(", ")}` : "",
    typeof step.timeoutSec === "number" ? `at most ${step.timeoutSec} s` : "",
    retry,
    step.on_failure === "continue" ? "goes on after a failure" : "",
    step.delivery === "at_least_once" ? "may be repeated" : "",
  ].filter(Boolean).join(" · ");
};

export const stepInWords = (step: unknown, index: number, jobTargets: unknown): StepWords => {
  const given: Loose = isMap(step) ? step : {};
  const type = text(given.type) ?? "step without a type";
  const where = TARGETLESS.has(type) ? null : (targetsInWords(given.target) ?? targetsInWords(jobTargets) ?? "the targets chosen at the start");
  const what = DOES[type]?.(given) ?? `Do ${type}`;
  return { name: text(given.name) ?? `step-${index + 1}`, type, what: where === null ? what : `${what} on ${where}`, how: howOf(given), script: text(given.command) };
};

export const stepsOf = (definition: Loose): readonly unknown[] => (Array.isArray(definition.steps) ? definition.steps : []);
