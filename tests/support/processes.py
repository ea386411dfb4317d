"""Child processes for tests that kill them: output goes to files, signals go to one process by its id."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
END_SECONDS = 60.0


class Child:
    """One process of our own. Every method but `kill` expects it to be alive."""

    def __init__(self, name: str, arguments: Sequence[str], *, env: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                list(arguments),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env=dict(env),
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def said(self, words: str) -> bool:
        """Whether its output holds these words; fails when it has ended without saying them."""
        found = words in self.log.read_text(errors="replace")
        assert found or self.alive, f"{self.name} ended: {self.last_words()}"
        return found

    def last_words(self) -> str:
        return self.log.read_text(errors="replace")[-3_000:]

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self._process.kill()
        self._process.wait(END_SECONDS)

    def freeze(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def terminate(self) -> None:
        """SIGTERM, without waiting."""
        os.kill(self.pid, signal.SIGTERM)

    def wait(self) -> int:
        """Wait until it has ended; its exit code."""
        return self._process.wait(END_SECONDS)

    def exit_code(self) -> int | None:
        return self._process.poll()


def module(*words: str) -> list[str]:
    """The command line of one of our modules."""
    return [sys.executable, "-m", *words]


def clean_environment(**more: str) -> dict[str, str]:
    """This process's environment without settings of ours, and `more`."""
    return {name: value for name, value in os.environ.items() if not name.startswith("OPS_")} | more
