"""What the simulated PowerShell does with files on the simulated disk."""

from typing import TYPE_CHECKING

from infra.sandbox.windows.powershell.values import as_list, text

if TYPE_CHECKING:
    from infra.sandbox.windows.powershell.cmdlets import Call


async def get_content(call: "Call") -> None:
    """Line by line, or the whole text with `-Raw`; files are taken for UTF-8."""
    for path in as_list(call.named.get("literalpath", call.argument("path"))):
        name = text(path)
        data = call.session.system.disk.content(name)
        if data is None:
            await call.fail(
                f"Cannot find path '{name}' because it does not exist.",
                "PathNotFound,Microsoft.PowerShell.Commands.GetContentCommand",
            )
            continue
        whole = data.decode("utf-8", "replace")
        for item in [whole] if "raw" in call.named else whole.splitlines():
            await call.emit(item)
