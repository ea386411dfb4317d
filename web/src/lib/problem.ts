/** One input that was refused. `field` is a path as the API writes it: `winrm.port`, `steps.0.command`. */
export interface FieldProblem {
  field: string;
  reason: string;
  line?: number;
}

/** What the API answers when it refuses something (RFC 9457). `code` is stable; `message` is for people. */
export class Problem extends Error {
  override readonly name = "Problem";

  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly fields: readonly FieldProblem[] = [],
    readonly requestId: string | null = null,
  ) {
    super(detail);
  }

  get isMissing(): boolean {
    return this.status === 404;
  }

  get isStale(): boolean {
    return this.status === 409 || this.status === 412;
  }
}

/** What browsers and the bundler say when a part of the program itself could not be fetched. */
const NOT_LOADED = /preload CSS|dynamically imported module|Importing a module script failed/;

/** Nothing came back: the network or the gateway is away. */
export const unreachable = (): Problem =>
  new Problem(0, "unreachable", "OpsConductor cannot be reached. Check the network; this page tries again by itself.");

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;

const textOf = (value: unknown): string | null => (typeof value === "string" ? value : null);

const fieldsOf = (value: unknown): FieldProblem[] =>
  (Array.isArray(value) ? (value as unknown[]) : []).filter(isObject).map((item) => ({
    field: textOf(item.field) ?? "",
    reason: textOf(item.reason) ?? "is not valid",
    ...(typeof item.line === "number" ? { line: item.line } : {}),
  }));

/** The problem a refused response speaks of, also when a proxy answered with something else. */
export const problemOf = async (response: Response): Promise<Problem> => {
  const body: unknown = await response.json().catch(() => null);
  if (!isObject(body) || textOf(body.code) === null) {
    return new Problem(
      response.status,
      "unreadable",
      `The server answered ${response.status} without saying why; perhaps a proxy stands between.`,
      [],
      response.headers.get("x-request-id"),
    );
  }
  return new Problem(
    response.status,
    textOf(body.code) ?? "unreadable",
    textOf(body.detail) ?? textOf(body.title) ?? "The request was refused.",
    fieldsOf(body.errors),
    textOf(body.request_id),
  );
};

/** What to tell a person about anything that was thrown. */
export const messageOf = (error: unknown): string => {
  const message = error instanceof Error ? error.message : String(error);
  return NOT_LOADED.test(message)
    ? "This page could not be loaded: OpsConductor cannot be reached, or was updated meanwhile. Reload the page."
    : message;
};
