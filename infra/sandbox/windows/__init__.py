"""A simulated Windows host: real WS-Management on loopback, simulated PowerShell and cmd behind it.

What the interpreter knows is a subset chosen for demos and tests. PowerShell: assignments, the four kinds
of strings with PowerShell's quoting rules, `$( )`, `@( )`, `if`, `while`, `foreach`, `try`, `throw`, `exit`,
the usual operators, pipelines with ForEach-Object and Where-Object, Write-*, *-Service, Start-Sleep,
Start-Process, Get-Process, `[Console]`, `[Convert]`, `[Text.Encoding]`, `[Environment]`. cmd: echo, set,
`%NAME%`, `!NAME!`, `&`, `&&`, `||`, exit, ver, hostname, whoami, ping, start. Everything else fails as an
unknown command does.
"""

from infra.certificates import HostCertificate, self_signed
from infra.sandbox.windows import faults
from infra.sandbox.windows.host import JournalEntry, Knobs, WindowsHost

__all__ = ["HostCertificate", "JournalEntry", "Knobs", "WindowsHost", "faults", "self_signed"]
