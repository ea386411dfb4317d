"""What the host does with a gated command: read scripts from stdin and run the first complete one, once.

The first line of such a bootstrap names it: `#ops-gate/2 KIND NONCE`. In its input `#ops-begin NONCE` starts
a script, base64 lines follow, `#ops-run NONCE SHA256` runs what was read since the last begin if the digest
of it fits. Everything after the first script that ran is ignored, so a repeated or mixed-up input never runs
anything twice. The decoded body begins with `NAME=base64` lines up to an empty line: `env.NAME` (a variable),
`cwd` (folder), `stdin`, `delayed` (cmd), and `run`, the PowerShell that a real host runs with all of this and
that is not looked at here; the script follows.
"""

import asyncio
import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

BANNER = re.compile(r"#ops-gate/2 (powershell|pwsh|cmd) ([0-9a-f]{16,64})\s")
NEVER_OPENED, NO_FOLDER = 1_330_664_263, 1_330_664_264


@dataclass(frozen=True, slots=True)
class Gate:
    kind: str
    nonce: str

    @property
    def opened_line(self) -> bytes:
        return f"#ops-open {self.nonce}\n".encode()


def gate_of(script: str) -> Gate | None:
    """The gate that a decoded -EncodedCommand is, if it is one."""
    match = BANNER.match(script)
    return Gate(match[1], match[2]) if match else None


async def read_script(gate: Gate, stdin: asyncio.StreamReader) -> bytes | None:
    """The first complete script; None when the input ended without one."""
    begin, run = f"#ops-begin {gate.nonce}", f"#ops-run {gate.nonce} "
    collected: list[str] = []
    buffer = b""
    while data := await stdin.read(65536):
        *lines, buffer = (buffer + data).split(b"\n")
        for raw in lines:
            line = raw.decode("ascii", "replace").rstrip("\r")
            if line == begin:
                collected.clear()
            elif line.startswith(run):
                script = _decoded("".join(collected))
                if script is not None and hashlib.sha256(script).hexdigest() == line.removeprefix(run):
                    return script
                collected.clear()
            else:
                collected.append(line)
    return None


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


@dataclass(frozen=True, slots=True)
class Body:
    """What came through the gate. Names of environment variables are in upper case."""

    script: str
    environment: dict[str, str]
    folder: str | None
    stdin: bytes
    delayed: bool


def body_of(payload: bytes) -> Body:
    """The parts of a decoded body."""
    head, _, script = payload.decode("utf-8", "replace").partition("\n\n")
    fields = {
        name: base64.b64decode(value) for name, value in (line.split("=", 1) for line in head.split("\n"))
    }
    return Body(
        script=script,
        environment={
            name.removeprefix("env.").upper(): value.decode()
            for name, value in fields.items()
            if name.startswith("env.")
        },
        folder=fields["cwd"].decode() if "cwd" in fields else None,
        stdin=fields.get("stdin", b""),
        delayed=fields.get("delayed") == b"1",
    )
