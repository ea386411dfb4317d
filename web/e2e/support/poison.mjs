// Messages no worker can handle, sent through the broker itself.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const { OPS_WEB_AMQP: AMQP, OPS_WEB_PYTHON: PYTHON = "python3" } = process.env;
const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** Why a check that needs them is left out. */
export const NO_BROKER = AMQP ? false : "OPS_WEB_AMQP does not say where the broker is";

export const poison = () => promisify(execFile)(PYTHON, ["-m", "tests.support.poison", AMQP], { cwd: ROOT });
