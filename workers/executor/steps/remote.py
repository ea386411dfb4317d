"""Small scripts of our own on a target, over its own protocol: what steps are made of that ask and order.

A script is carried by the very plug-ins that carry people's scripts, so that it is followed, taken over,
stopped and cleaned up after in the same way.
"""

from dataclasses import replace
from typing import Any

from contracts.jobs.steps import SshExec, WinrmExec
from workers.executor.steps.base import Attempt, Handle, StepContext, StepFault, StepPlugin, Stream

KEPT_BYTES = 256 * 1024
TIDY_SECONDS = 30.0


class Kept:
    """An output sink in memory; bounded, so that a mad host cannot fill ours."""

    def __init__(self) -> None:
        self._data: dict[Stream, bytearray] = {"stdout": bytearray(), "stderr": bytearray()}

    async def write(self, stream: Stream, data: bytes) -> None:
        room = KEPT_BYTES - len(self._data[stream])
        self._data[stream] += data[: max(0, room)]

    async def mark_incomplete(self, stream: Stream, reason: str) -> None:
        """What is missing shows in what cannot be read."""

    def position(self, stream: Stream) -> int:
        """Nothing is stored: whoever takes over begins anew."""
        return 0

    def text(self, stream: Stream = "stdout") -> str:
        return self._data[stream].decode("utf-8", "replace")

    def last_words(self) -> str:
        """The end of what it complained about."""
        return " ".join((self.text("stderr") or self.text()).split())[-300:]


class Remote:
    """Carries scripts to a target: `sh` to Linux and Unix, `powershell` to Windows."""

    def __init__(self, *, ssh: StepPlugin[SshExec], winrm: StepPlugin[WinrmExec]) -> None:
        self._ssh = ssh
        self._winrm = winrm

    async def start(
        self, context: StepContext, *, sh: str, powershell: str, seconds: float
    ) -> tuple[Attempt, Kept]:
        """An attempt that is ready to act, and where its output will be. Raises `StepFault`."""
        kept = Kept()
        plugin, spec = self._of(context, sh, powershell, seconds)
        return await plugin.start(spec, _for_us(context, kept)), kept

    async def resume(
        self, context: StepContext, handle: Handle, *, sh: str, powershell: str, seconds: float
    ) -> tuple[Attempt, Kept]:
        """Take one over. Raises `NotResumable` and `StepFault`."""
        kept = Kept()
        plugin, spec = self._of(context, sh, powershell, seconds)
        return await plugin.resume(spec, _for_us(context, kept), handle), kept

    async def tidy(self, context: StepContext, handle: Handle | None) -> None:
        """Remove what scripts under this task and attempt have left. Raises `StepFault`."""
        plugin, spec = self._of(context, ":", "exit", TIDY_SECONDS)
        await plugin.tidy(spec, _for_us(context, Kept()), handle)

    def leaves(self, context: StepContext) -> str:
        """What `tidy` looks for, in words."""
        plugin, spec = self._of(context, ":", "exit", TIDY_SECONDS)
        return plugin.leaves(spec, context)

    def _of(
        self, context: StepContext, sh: str, powershell: str, seconds: float
    ) -> tuple[StepPlugin[Any], SshExec | WinrmExec]:
        if context.target is None:
            raise StepFault("target_missing")
        if context.target.os == "windows":
            return self._winrm, WinrmExec.model_validate(
                {"type": "winrm.exec", "command": powershell, "timeoutSec": seconds}
            )
        return self._ssh, SshExec.model_validate({"type": "ssh.exec", "command": sh, "timeoutSec": seconds})


def _for_us(context: StepContext, kept: Kept) -> StepContext:
    """Our scripts take no values, and their output is ours to read."""
    return replace(context, output=kept, parameters={}, secret_parameters=frozenset())
