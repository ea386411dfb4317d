"""`Get-CimInstance` and `shutdown.exe` of the simulated PowerShell."""

import re
from typing import TYPE_CHECKING

from infra.sandbox.windows.powershell.values import text

if TYPE_CHECKING:
    from infra.sandbox.windows.powershell.cmdlets import Call

_DELAY = re.compile(r"/t\s+(\d+)")


async def get_cim_instance(call: "Call") -> None:
    """By class name; a filter is taken, and every simulated instance fits it."""
    wanted = text(call.argument("classname"))
    found = call.session.system.machine.instances(wanted)
    if found is None:
        await call.fail(
            "Invalid class ",
            "HRESULT 0x80041010,Microsoft.Management.Infrastructure.CimCmdlets.GetCimInstanceCommand",
        )
        return
    for instance in found:
        await call.emit(instance)


async def shutdown(call: "Call") -> None:
    """`shutdown /r`: the host goes down a moment after the command has ended."""
    words = " ".join(text(word) for word in call.words).lower()
    reboots = "/r" in words.split()
    if reboots:
        delay = _DELAY.search(words)
        call.session.system.machine.order_reboot(float(delay[1]) if delay else 30.0)
    call.session.variables["lastexitcode"] = 0 if reboots else 87
    call.session.ok = reboots
