"""Every promise of the steps over SSH, against the sandbox host and a real OpenSSH server, root and not."""

import base64
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.executors.behaviour import BEGUN
from tests.executors.going_away import GoesAway, LeavesHalves
from tests.executors.ssh_exec.conftest import demo, host
from tests.support.artifacts import GatedArtifacts
from tests.support.lives import Scene, Step
from tests.support.ssh import Reachable
from workers.executor.steps.base import StepPlugin
from workers.executor.steps.ssh_copy import SshCopyPlugin
from workers.executor.steps.ssh_exec import Connections, SshExecPlugin, SshScriptPlugin

__all__ = ["demo", "host"]


def printing(parts: Sequence[int | bytes]) -> str:
    """A script that writes these bytes."""
    pieces = [
        f"head -c {part} /dev/zero | tr '\\0' x"
        if isinstance(part, int)
        else f"echo {base64.b64encode(part).decode()} | base64 -d"
        for part in parts
    ]
    return "; ".join(pieces)


def processes_of(folder: Path) -> list[str]:
    """Whatever runs with something of this folder on its command line."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = process.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in line and int(process.parent.name) != os.getpid() and "sshd" not in line:
            found.append(line)
    return found


class OverSsh(GoesAway):
    """What is known of a host that is reached over SSH."""

    reachable: Reachable

    def plugin(self) -> StepPlugin[Any]:
        raise NotImplementedError

    @pytest.fixture
    async def scene(self, host: Reachable) -> AsyncIterator[Scene]:
        self.reachable = host
        scene = Scene(make=self.plugin, target=host.target, credential=host.credential)
        yield scene
        await scene.close()

    async def left_behind(self) -> list[str]:
        return self.reachable.folders() + processes_of(self.reachable.home / ".opsconductor")


class Commands(OverSsh):
    """Steps that run a script on the host: `sh` of a text is theirs to say."""

    def script(self, text: str) -> Step:
        raise NotImplementedError

    @property
    def runs(self) -> Path:
        return self.reachable.home / "runs"

    def works(self) -> Step:
        return self.script(f"echo ran >>{self.runs}")

    def fails(self) -> Step:
        return self.script("echo no >&2; exit 37")

    def goes_on(self) -> Step:
        gate = self.reachable.home / "gate"
        return self.script(
            f"echo ran >>{self.runs}; echo {BEGUN.strip()}; until [ -e {gate} ]; do sleep .1; done"
        )

    def says(self, *parts: int | bytes) -> Step:
        return self.script(printing(parts))

    async def let_end(self) -> None:
        (self.reachable.home / "gate").touch()

    def ran(self) -> int:
        return len(self.runs.read_text().splitlines()) if self.runs.exists() else 0


class TestSshExec(Commands):
    type = "ssh.exec"

    def plugin(self) -> SshExecPlugin:
        return SshExecPlugin()

    def script(self, text: str) -> Step:
        return {"command": text}


class TestSshScript(Commands):
    type = "ssh.script"

    @pytest.fixture
    def host(self, demo: Reachable) -> Reachable:
        """One host is enough: what differs between servers is held by `ssh.exec`, which shares the way."""
        return demo

    def plugin(self) -> SshScriptPlugin:
        return SshScriptPlugin(Connections())

    def script(self, text: str) -> Step:
        return {"content_base64": base64.b64encode(f"#!/bin/sh\n{text}\n".encode()).decode()}


PRINTS_NOTHING = dict.fromkeys(
    (
        "test_long_output_is_bounded_and_said_to_be_cut",
        "test_nothing_is_lost_below_the_limit",
        "test_output_is_stored_while_the_target_goes_on",
        "test_bytes_that_are_no_text_are_shown_without_harm",
        "test_a_secret_is_never_shown_in_any_form_wherever_output_is_cut",
    ),
    "A copy prints nothing: what it has to say are its outputs and its progress.",
)


class TestSshCopy(LeavesHalves, OverSsh):
    type = "ssh.copy"
    fails_with = "path_missing"
    cannot: ClassVar = PRINTS_NOTHING

    def plugin(self) -> SshCopyPlugin:
        return SshCopyPlugin(reconnect_seconds=2.0)

    @pytest.fixture
    async def scene(self, host: Reachable) -> AsyncIterator[Scene]:
        self.reachable = host
        self.artifacts = GatedArtifacts()
        scene = Scene(
            make=self.plugin,
            target=host.target,
            credential=host.credential,
            artifacts=self.artifacts,
            begun=lambda: self.artifacts.reached,
        )
        yield scene
        await scene.close()

    @property
    def dest(self) -> Path:
        return self.reachable.home / "copied"

    def works(self) -> Step:
        return {"content_base64": "aGVsbG8K", "dest": str(self.dest)}

    def fails(self) -> Step:
        return {"direction": "download", "src": f"{self.reachable.home}/no-such-file"}

    def goes_on(self) -> Step:
        return {"src": str(self.artifacts.held_back().id), "dest": str(self.dest)}

    async def let_end(self) -> None:
        self.artifacts.gate.set()

    def ran(self) -> int:
        return int(self.dest.exists())

    async def left_behind(self) -> list[str]:
        files = [path.name for path in self.reachable.home.iterdir() if path.name.startswith(".ops-")]
        return files + [name for name in await super().left_behind() if name != "known"]
