"""The fixed PowerShell a copy starts with: it reads the script, then bytes, straight from stdin.

`-InputFormat None` keeps powershell.exe itself from reading stdin, so every byte is ours. The bootstrap does
nothing by itself: it takes a head of 32 characters (two lengths), the script and its options as JSON, and
runs the script when all of it has come. A process that hears nothing for a minute ends by itself, so one
whose executor is gone does not keep its file locked.
"""

import base64
import json
import secrets
from collections.abc import Mapping

HEAD = "{:015d} {:015d}\n"
UNHEARD, CUT_OFF, SHRANK = 86, 87, 88
"""Exit codes: nothing came for a minute, stdin ended in the middle, the file became shorter while read."""

_BOOTSTRAP = """\
#ops-copy/1 {nonce}
$ProgressPreference='SilentlyContinue'
$ErrorActionPreference='Stop'
$in=[Console]::OpenStandardInput()
$out=[Console]::OpenStandardOutput()
$u=New-Object Text.UTF8Encoding($false)
function Some($b,$at,$n){{
$r=$in.BeginRead($b,$at,$n,$null,$null)
if(-not $r.AsyncWaitHandle.WaitOne(60000)){{exit {unheard}}}
$g=$in.EndRead($r)
if($g -eq 0){{exit {cut_off}}}
$g
}}
function Take([int]$n){{
$b=New-Object byte[] $n
for($k=0;$k -lt $n){{$k+=(Some $b $k ($n-$k))}}
$u.GetString($b)
}}
$h=Take 32
$s=Take ([int]$h.Substring(0,15))
$o=ConvertFrom-Json (Take ([int]$h.Substring(16,15)))
& ([ScriptBlock]::Create($s))
"""


def command_line() -> tuple[str, tuple[str, ...]]:
    """Program and arguments of a copying process; nothing of the step is in them."""
    script = _BOOTSTRAP.format(nonce=secrets.token_hex(16), unheard=UNHEARD, cut_off=CUT_OFF)
    encoded = base64.b64encode(script.encode("utf-16-le")).decode()
    options = ("-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-InputFormat", "None")
    return "powershell.exe", (*options, "-EncodedCommand", encoded)


def opening(script: str, options: Mapping[str, object]) -> bytes:
    """What makes the waiting process run `script`."""
    body, given = script.encode(), json.dumps(options).encode()
    return HEAD.format(len(body), len(given)).encode() + body + given
