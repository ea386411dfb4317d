"""The fixed PowerShell that a step starts with, and the input that opens its gate.

The bootstrap runs nothing by itself. It reads lines from stdin: `#ops-begin NONCE`, a body in base64,
`#ops-run NONCE SHA256`. The first complete body whose digest fits runs, once; everything after it is
ignored. So sending the whole input again, because an answer was lost or by another worker, never runs it
twice, and a command whose input never arrives ends without having run anything. What the body runs
(`runners`) writes `#ops-open NONCE` to stdout before it lets the script begin.

`begin/process/end` because powershell.exe itself reads a redirected stdin and hands it to the command as
pipeline input; a second reader on the same handle would compete with it. Base64, because the console's input
encoding is not known.
"""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from typing import Literal

from workers.executor.steps.winrm_exec.runners import NEVER_OPENED, runner

SEND_BYTES = 90_000
"""One Send: with base64 and the envelope around it below 150 kB, the smallest MaxEnvelopeSizekb in use."""
LINE_CHARACTERS = 4096
OPTIONS = ("-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass")

Kind = Literal["powershell", "pwsh", "cmd"]
PROGRAMS: Mapping[Kind, str] = {"powershell": "powershell.exe", "pwsh": "pwsh.exe", "cmd": "powershell.exe"}

_GATE = """\
#ops-gate/2 {kind} {nonce}
begin{{
$n='{nonce}'
$ProgressPreference='SilentlyContinue'
$u=New-Object Text.UTF8Encoding($false)
try{{[Console]::OutputEncoding=$u}}catch{{}}
$OutputEncoding=$u
if($PSStyle){{$PSStyle.OutputRendering='PlainText'}}
$b=New-Object Text.StringBuilder
$ran=$false
$g={{param($k)$u.GetString([Convert]::FromBase64String($f[$k]))}}
}}
process{{
if($ran){{return}}
$l=[string]$_
if($l -ceq "#ops-begin $n"){{$b.Length=0;return}}
if(-not $l.StartsWith("#ops-run $n ")){{[void]$b.Append($l);return}}
$s=$null
try{{
$d=[Convert]::FromBase64String($b.ToString())
$h=(New-Object Security.Cryptography.SHA256CryptoServiceProvider).ComputeHash($d)
if($l.EndsWith([BitConverter]::ToString($h).Replace('-','').ToLower())){{$s=$u.GetString($d)}}
}}catch{{}}
$b.Length=0
if($null -eq $s){{return}}
$ran=$true
$i=$s.IndexOf("`n`n")
$f=@{{}}
foreach($e in $s.Substring(0,$i).Split("`n")){{$k,$w=$e.Split('=',2);$f[$k]=$w}}
$s=$s.Substring($i+2)
. ([ScriptBlock]::Create((& $g 'run')))
}}
end{{if(-not $ran){{exit {never_opened}}}}}
"""


def new_nonce() -> str:
    """Names one attempt; not a secret, but not to be guessed by what a script contains."""
    return secrets.token_hex(16)


def command_line(kind: Kind, nonce: str) -> tuple[str, tuple[str, ...]]:
    """Program and arguments of the gated command: below cmd's 8191 characters, free of the script."""
    script = _GATE.format(kind=kind, nonce=nonce, never_opened=NEVER_OPENED)
    encoded = base64.b64encode(script.encode("utf-16-le")).decode()
    return PROGRAMS[kind], (*OPTIONS, "-EncodedCommand", encoded)


def opened_line(nonce: str) -> bytes:
    return f"#ops-open {nonce}\n".encode()


def body(
    kind: Kind,
    script: str,
    *,
    environment: Mapping[str, str] | None = None,
    cwd: str | None = None,
    stdin: bytes | None = None,
    delayed: bool = False,
) -> bytes:
    """What goes through the gate: how to run it, what to set before, and the script itself.

    `environment` is set before the script runs, `cwd` is where it begins, `stdin` what it reads from its
    standard input. `delayed` turns on cmd's delayed expansion. Batch files need CRLF.
    """
    fields = {"run": runner(kind, with_input=stdin is not None).encode()}
    fields |= {f"env.{name}": value.encode() for name, value in (environment or {}).items()}
    if cwd is not None:
        fields["cwd"] = cwd.encode()
    if stdin is not None:
        fields["stdin"] = stdin
    if kind == "cmd":
        fields["delayed"] = b"1" if delayed else b"0"
        script = "\r\n".join(script.replace("\r\n", "\n").split("\n"))
    head = "\n".join(f"{name}={base64.b64encode(value).decode()}" for name, value in fields.items())
    return f"{head}\n\n{script}".encode()


def sends(body: bytes, nonce: str) -> list[bytes]:
    """The input that opens the gate, in pieces for one Send each.

    It begins with a line end, so that it also takes effect behind the cut-off input of a lost worker.
    """
    encoded = base64.b64encode(body).decode()
    lines = [encoded[at : at + LINE_CHARACTERS] for at in range(0, len(encoded), LINE_CHARACTERS)]
    digest = hashlib.sha256(body).hexdigest()
    whole = "\n".join(["", f"#ops-begin {nonce}", *lines, f"#ops-run {nonce} {digest}", ""]).encode()
    return [whole[at : at + SEND_BYTES] for at in range(0, len(whole), SEND_BYTES)]
