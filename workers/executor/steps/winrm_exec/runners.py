"""The PowerShell that runs behind the opened gate: environment, folder, standard input, then the script.

It finds `$n` (the nonce), `$u` (UTF-8 without a mark), `$f` (fields in base64), `$g` (a field as text) and
`$s` (the script). Nothing of the step stands in it, so it is the same text for every step of a kind.

A script with a standard input of its own runs in a second process: the first one's stdin is the gate. For
PowerShell that process is started with `-InputFormat None`, else it would read its stdin itself and hand it
on as objects. It takes exactly its script off the front of the pipe; what is left are the raw bytes for the
script and for every program it starts.
"""

import base64

NEVER_OPENED = 1_330_664_263
"""Exit code of a bootstrap whose input ended without a complete script; no script ends with it by chance."""
NO_FOLDER = 1_330_664_264
"""Exit code when the folder that the step names is not there; nothing of the script has run."""
LENGTH_DIGITS = 10

_PREPARE = """\
foreach($k in @($f.Keys)){if($k.StartsWith('env.')){
[Environment]::SetEnvironmentVariable($k.Substring(4),(& $g $k))}}
if($f.ContainsKey('cwd')){try{
$p=(Resolve-Path -LiteralPath (& $g 'cwd') -ErrorAction Stop).ProviderPath
Set-Location -LiteralPath $p -ErrorAction Stop
[Environment]::CurrentDirectory=$p
}catch{[Console]::Error.WriteLine([string]$_);exit <NO_FOLDER>}}
[Console]::Out.Write("#ops-open $n`n")
[Console]::Out.Flush()
"""

_EXIT = "$ops_ok=$?;if($LASTEXITCODE){exit $LASTEXITCODE};if(-not $ops_ok){exit 1}"

_RUN_POWERSHELL = """\
$t='<EXIT>'
& ([ScriptBlock]::Create($s+"`n"+$t))"""

_FEED = """\
$q.UseShellExecute=$false
$q.RedirectStandardInput=$true
try{[Console]::InputEncoding=$u}catch{}
$c=[Diagnostics.Process]::Start($q)
$o=$c.StandardInput.BaseStream
try{foreach($x in $feed){$o.Write($x,0,$x.Length)};$o.Flush()}catch{}
try{$o.Close()}catch{}
$c.WaitForExit()
"""
"""`InputEncoding` without a mark: .NET Framework would write one to the process's input before ours."""

_CHILD = """\
$ProgressPreference='SilentlyContinue'
$u=New-Object Text.UTF8Encoding($false)
try{[Console]::OutputEncoding=$u}catch{}
$OutputEncoding=$u
if($PSStyle){$PSStyle.OutputRendering='PlainText'}
$i=[Console]::OpenStandardInput()
$r={param($m)$b=New-Object byte[] $m;$a=0
while($a -lt $m){$k=$i.Read($b,$a,$m-$a);if($k -le 0){exit <NEVER_OPENED>};$a+=$k}
$u.GetString($b)}
$s=& $r ([int](& $r <LENGTH_DIGITS>))
$t='<EXIT>'
& ([ScriptBlock]::Create($s+"`n"+$t))"""

_RUN_POWERSHELL_WITH_INPUT = """\
$d=$u.GetBytes($s)
$feed=@($u.GetBytes($d.Length.ToString('D<LENGTH_DIGITS>')),$d,[Convert]::FromBase64String($f['stdin']))
$q=New-Object Diagnostics.ProcessStartInfo
$q.FileName=[Diagnostics.Process]::GetCurrentProcess().MainModule.FileName
$q.Arguments='-NoProfile -NonInteractive -ExecutionPolicy Bypass -InputFormat None -EncodedCommand <CHILD>'
<FEED>exit $c.ExitCode"""

_RUN_CMD = """\
$v='/v:off'
if((& $g 'delayed') -eq '1'){$v='/v:on'}
$p=Join-Path ([IO.Path]::GetTempPath()) "ops-$n.cmd"
[IO.File]::WriteAllText($p,$s,$u)
$feed=@()
if($f.ContainsKey('stdin')){$feed=@(,[Convert]::FromBase64String($f['stdin']))}
try{
$q=New-Object Diagnostics.ProcessStartInfo $env:ComSpec,"/d /q $v /s /c `"`"$p`"`""
<FEED>$x=$c.ExitCode
}finally{[IO.File]::Delete($p)}
exit $x"""


def _filled(text: str) -> str:
    child = _CHILD.replace("<EXIT>", _EXIT)
    words = {
        "EXIT": _EXIT,
        "FEED": _FEED,
        "CHILD": base64.b64encode(_numbered(child).encode("utf-16-le")).decode(),
    }
    for word, replacement in words.items():
        text = text.replace(f"<{word}>", replacement)
    return _numbered(_PREPARE) + _numbered(text)


def _numbered(text: str) -> str:
    for word, number in (
        ("NEVER_OPENED", NEVER_OPENED),
        ("NO_FOLDER", NO_FOLDER),
        ("LENGTH_DIGITS", LENGTH_DIGITS),
    ):
        text = text.replace(f"<{word}>", str(number))
    return text


_RUNNERS = {
    ("powershell", False): _filled(_RUN_POWERSHELL),
    ("powershell", True): _filled(_RUN_POWERSHELL_WITH_INPUT),
    ("cmd", False): _filled(_RUN_CMD),
    ("cmd", True): _filled(_RUN_CMD),
}


def runner(kind: str, *, with_input: bool) -> str:
    """The PowerShell text that runs a script of this kind."""
    return _RUNNERS["cmd" if kind == "cmd" else "powershell", with_input]
