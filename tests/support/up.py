"""A real `opsconductor up`, and the command line beside it; output goes to files."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.support.embedded import running
from tests.support.eventually import eventually
from tests.support.ports import free_port
from tests.support.processes import ROOT, Child, clean_environment

START_SECONDS = 150.0
COMMAND_SECONDS = 150.0
SERVING = "Ctrl-C stops everything"


@contextmanager
def enterable_folder() -> Iterator[Path]:
    """A folder that any user may enter: as root the database runs as somebody else."""
    folder = Path(tempfile.mkdtemp(prefix="up-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str


class Up:
    """One place for data, an address, and the processes started there one after the other."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder = folder
        self._count = 0
        self.child: Child | None = None

    def environment(self, **more: str) -> dict[str, str]:
        own = {
            "OPS_DATA_DIR": str(self.data),
            "OPS_PORT": str(self.port),
            "XDG_CONFIG_HOME": str(self._folder / "config"),
            "NO_COLOR": "1",
        }
        return clean_environment(**{**own, **more})

    def start(self, *options: str, **settings: str) -> Child:
        arguments = [sys.executable, "-m", "cli", "up", *options]
        self.child = Child("up", arguments, env=self.environment(**settings), log=self._next_file())
        return self.child

    async def serving(self) -> None:
        child = self._running()
        await eventually(lambda: child.said(SERVING), within=START_SECONDS)

    @property
    def terminal(self) -> str:
        """What the last start wrote."""
        return self._running().log.read_text(errors="replace")

    def password(self) -> str:
        """The one that was shown at the first start."""
        found = re.search(r"Password +(\S+)  \(shown this once", self.terminal)
        assert found, self.terminal
        return found[1]

    def processes(self) -> dict[int, str]:
        """Command lines of every living descendant."""
        return {pid: command for pid, (_, command) in self._descendants().items()}

    def _descendants(self) -> dict[int, tuple[int, str]]:
        """The parent and the command line of each."""
        parents, commands = {}, {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                stat = (entry / "stat").read_text()
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue  # it ended meanwhile
            parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
            commands[int(entry.name)] = command
        ours = [pid for pid in parents if self._running().pid in _ancestors(pid, parents)]
        return {pid: (parents[pid], commands[pid]) for pid in ours}

    def pid_of(self, words: str) -> int:
        """The one process with these words in its command line.

        One of its children has them, too, until it has become another program.
        """
        found = {pid: parent for pid, (parent, command) in self._descendants().items() if words in command}
        [pid] = found.keys() - {pid for pid, parent in found.items() if parent in found}
        return pid

    async def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Signal it, and wait for its end; the exit code."""
        child = self._running()
        os.kill(child.pid, number)
        await eventually(lambda: not child.alive, within=START_SECONDS)
        code = child.exit_code()
        assert code is not None
        return code

    def command(self, *arguments: str, typed: str = "", **settings: str) -> Ended:
        """Run `opsconductor` with these arguments until it ends."""
        out = self._next_file()
        with out.open("wb") as stdout:
            code, err = self._ended(arguments, stdout, typed=typed, **settings)
        return Ended(code, out.read_text(), err)

    def begin(self, *arguments: str) -> Child:
        """Start `opsconductor` with these arguments and leave it running."""
        return Child(
            "opsconductor",
            [sys.executable, "-m", "cli", *arguments],
            env=self.environment(),
            log=self._next_file(),
        )

    def unread(self, *arguments: str) -> Ended:
        """Run `opsconductor` with an output whose reader has gone already."""
        reading, writing = os.pipe()
        os.close(reading)
        with os.fdopen(writing, "wb") as stdout:
            code, err = self._ended(arguments, stdout)
        return Ended(code, "", err)

    def written_to(self, place: str, *arguments: str) -> Ended:
        """Run `opsconductor` with its output going to a file that is there, as `/dev/full`."""
        with Path(place).open("wb") as stdout:
            code, err = self._ended(arguments, stdout)
        return Ended(code, "", err)

    def _ended(
        self, arguments: Sequence[str], stdout: IO[bytes], *, typed: str = "", **settings: str
    ) -> tuple[int, str]:
        err = self._next_file()
        with err.open("wb") as stderr:
            ended = subprocess.run(
                [sys.executable, "-m", "cli", *arguments],
                input=typed.encode(), stdout=stdout, stderr=stderr, cwd=ROOT,
                env=self.environment(**settings), timeout=COMMAND_SECONDS, check=False,
            )  # fmt: skip
        return ended.returncode, err.read_text()

    def choose_password(self, current: str, new: str) -> Ended:
        return self.command("password", "--url", self.url, "--password-stdin", typed=f"{current}\n{new}\n")

    def sign_in(self, password: str) -> Ended:
        return self.command("login", "--url", self.url, "--password-stdin", typed=password + "\n")

    def close(self) -> None:
        """Nothing of ours survives a test, however it ended."""
        if self.child is not None and self.child.alive:
            left = list(self.processes())
            self.child.kill()
            for pid in left:
                if running(pid):
                    os.kill(pid, signal.SIGKILL)

    def _running(self) -> Child:
        assert self.child is not None
        return self.child

    def _next_file(self) -> Path:
        self._count += 1
        return self._folder / f"output-{self._count}"


def _ancestors(pid: int, parents: Mapping[int, int]) -> set[int]:
    found: set[int] = set()
    while pid in parents and parents[pid] not in found:
        pid = parents[pid]
        found.add(pid)
    return found


@contextmanager
def an_up() -> Iterator[Up]:
    """A place to start one in; everything is gone afterwards."""
    with enterable_folder() as folder:
        up = Up(folder)
        try:
            yield up
        finally:
            up.close()
