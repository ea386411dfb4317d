"""The fixed PowerShell that a step starts with, and the input that opens its gate.

The bootstrap runs nothing by itself. It reads lines from stdin: `#ops-begin NONCE`, the script in base64,
`#ops-run NONCE SHA256`. The first complete script whose digest fits runs, once; everything after it is
ignored. So sending the whole input again, because an answer was lost or by another worker, never runs it
twice, and a command whose input never arrives ends without having run anything. When the gate opens the
bootstrap writes `#ops-open NONCE` to stdout before anything else.

`begin/process/end` because powershell.exe itself reads a redirected stdin and hands it to the command as
pipeline input; a second reader on the same handle would compete with it. Base64, because the console's input
encoding is not known.
"""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from typing import Literal

SEND_BYTES = 90_000
"""One Send: with base64 and the envelope around it below 150 kB, the smallest MaxEnvelopeSizekb in use."""
LINE_CHARACTERS = 4096
NEVER_OPENED = 1_330_664_263
"""Exit code of a bootstrap whose input ended without a complete script; no script ends with it by chance."""

Kind = Literal["powershell", "cmd"]

_GATE = """\
#ops-gate/1 {kind} {nonce}
begin{{
$n='{nonce}'
$ProgressPreference='SilentlyContinue'
$u=New-Object Text.UTF8Encoding($false)
try{{[Console]::OutputEncoding=$u}}catch{{}}
$OutputEncoding=$u
$b=New-Object Text.StringBuilder
$ran=$false
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
[Console]::Out.Write("#ops-open $n`n")
[Console]::Out.Flush()
{run}
}}
end{{if(-not $ran){{exit {never_opened}}}}}
"""

_RUN_POWERSHELL = """\
$t='$ops_ok=$?;if($LASTEXITCODE){exit $LASTEXITCODE};if(-not $ops_ok){exit 1}'
& ([ScriptBlock]::Create($s+"`n"+$t))"""

_RUN_CMD = """\
$i=$s.IndexOf("`n`n")
$v='/v:off'
foreach($f in $s.Substring(0,$i).Split("`n")){
$k,$w=$f.Split('=',2)
if($k -ceq 'delayed'){if($w -eq '1'){$v='/v:on'}}
else{[Environment]::SetEnvironmentVariable($k,$u.GetString([Convert]::FromBase64String($w)))}
}
$p=Join-Path ([IO.Path]::GetTempPath()) "ops-$n.cmd"
[IO.File]::WriteAllText($p,$s.Substring($i+2),$u)
try{
$q=New-Object Diagnostics.ProcessStartInfo $env:ComSpec,"/d /q $v /s /c `"`"$p`"`""
$q.UseShellExecute=$false
$c=[Diagnostics.Process]::Start($q)
$c.WaitForExit()
$x=$c.ExitCode
}finally{[IO.File]::Delete($p)}
exit $x"""

_RUN: Mapping[Kind, str] = {"powershell": _RUN_POWERSHELL, "cmd": _RUN_CMD}


def new_nonce() -> str:
    """Names one attempt; not a secret, but not to be guessed by what a script contains."""
    return secrets.token_hex(16)


def command_line(kind: Kind, nonce: str) -> tuple[str, tuple[str, ...]]:
    """Program and arguments of the gated command: below cmd's 8191 characters, free of the script."""
    script = _GATE.format(kind=kind, nonce=nonce, run=_RUN[kind], never_opened=NEVER_OPENED)
    encoded = base64.b64encode(script.encode("utf-16-le")).decode()
    options = ("-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass")
    return "powershell.exe", (*options, "-EncodedCommand", encoded)


def opened_line(nonce: str) -> bytes:
    return f"#ops-open {nonce}\n".encode()


def powershell_body(script: str) -> bytes:
    return script.encode()


def cmd_body(script: str, environment: Mapping[str, str], *, delayed: bool) -> bytes:
    """`environment` is set before the script runs; batch files need CRLF."""
    fields = [f"delayed={int(delayed)}"]
    fields += [f"{name}={base64.b64encode(value.encode()).decode()}" for name, value in environment.items()]
    lines = "\r\n".join(script.replace("\r\n", "\n").split("\n"))
    return ("\n".join(fields) + "\n\n" + lines).encode()


def sends(body: bytes, nonce: str) -> list[bytes]:
    """The input that opens the gate, in pieces for one Send each.

    It begins with a line end, so that it also takes effect behind the cut-off input of a lost worker.
    """
    encoded = base64.b64encode(body).decode()
    lines = [encoded[at : at + LINE_CHARACTERS] for at in range(0, len(encoded), LINE_CHARACTERS)]
    digest = hashlib.sha256(body).hexdigest()
    whole = "\n".join(["", f"#ops-begin {nonce}", *lines, f"#ops-run {nonce} {digest}", ""]).encode()
    return [whole[at : at + SEND_BYTES] for at in range(0, len(whole), SEND_BYTES)]
