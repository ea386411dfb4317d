"""Writing stderr the way Windows PowerShell 5.1 does under WinRM: one CLIXML document, object by object."""

import re
from collections.abc import Awaitable, Callable
from xml.sax.saxutils import escape

HEAD = '#< CLIXML\r\n<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">'
TAIL = "</Objs>"
PROGRESS = (
    '<Obj S="progress" RefId="0"><TN RefId="0"><T>System.Management.Automation.PSCustomObject</T>'
    '<T>System.Object</T></TN><MS><I64 N="SourceId">1</I64><PR N="Record"><AV>{activity}</AV><AI>0</AI>'
    "<Nil /><PI>-1</PI><PC>-1</PC><T>{state}</T><SR>-1</SR><SD> </SD></PR></MS></Obj>"
)
NOT_PLAIN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")


def escaped(value: str) -> str:
    """Control characters become `_xHHHH_`, and so does an underscore that would read like one."""
    return NOT_PLAIN.sub(lambda match: f"_x{ord(match[0]):04X}_", escape(value))


Write = Callable[[str, bytes], Awaitable[None]]


class ErrorStream:
    """Writes the head before the first object and the tail at the end, if there was any object."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._begun = False

    async def _object(self, xml: str) -> None:
        head = "" if self._begun else HEAD
        self._begun = True
        await self._write("stderr", (head + xml).encode())

    async def lines(self, text: str, kind: str = "Error") -> None:
        """One `<S>` for each line."""
        for line in text.splitlines():
            await self._object(f'<S S="{kind}">{escaped(line)}_x000D__x000A_</S>')

    async def progress(self, activity: str, state: str = "Completed") -> None:
        await self._object(PROGRESS.format(activity=escape(activity), state=state))

    async def end(self) -> None:
        if self._begun:
            await self._write("stderr", TAIL.encode())


class PlainErrors(ErrorStream):
    """What PowerShell 7 does: errors as text on stderr, warnings and the like as text on stdout."""

    async def lines(self, text: str, kind: str = "Error") -> None:
        for line in text.splitlines():
            if kind == "Error":
                await self._write("stderr", f"{line}\r\n".encode())
            else:
                await self._write("stdout", f"{kind.upper()}: {line}\r\n".encode())

    async def progress(self, activity: str, state: str = "Completed") -> None:
        """Not shown without a console."""

    async def end(self) -> None:
        """Text needs no end."""
