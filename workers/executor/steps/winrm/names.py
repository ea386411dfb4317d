"""What an attempt calls its shells, so that whoever comes after a lost worker can find them.

A worker may die between opening a shell and storing its id. So nobody leaves the id to chance: it follows
from the task, the attempt and which holder of the attempt opens it. Every holder has a name of its own: one
that has lost the attempt without knowing it cannot get hold of its follower's shell.
"""

from dataclasses import dataclass
from uuid import UUID, uuid5

from workers.executor.steps.base import StepContext

NAMESPACE = UUID("7d3f6a52-1c0e-5b7e-9a44-3e1f0c2b8d61")
SHELL_LEFT = "a remote shell, which the host ends by itself after 15 minutes without use"
"""What may stay where a host is away, in words."""


@dataclass(frozen=True, slots=True)
class ShellNames:
    """The name of this holder's shell, and those of the holders before it, which may have left theirs."""

    own: str
    earlier: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        return (*self.earlier, self.own)

    def before(self, shell_id: str) -> tuple[str, ...]:
        """Of the holders before the one that opened `shell_id`: those after it found that stored."""
        return self.all[: self.all.index(shell_id)] if shell_id in self.all else ()


def names_of_test(test_id: UUID, tries: int) -> ShellNames:
    """Of a connection test that is begun for the `tries`-th time, counted from 1."""
    *earlier, own = (
        str(uuid5(NAMESPACE, f"test.{test_id}.{number}")).upper() for number in range(1, tries + 1)
    )
    return ShellNames(own, tuple(earlier))


def shell_names(context: StepContext) -> ShellNames:
    """In upper case, as hosts write them. A holder has one shell at a time."""
    *earlier, own = (
        str(uuid5(NAMESPACE, f"{context.task_id}.{context.attempt}.{holder}")).upper()
        for holder in range(context.take_overs + 1)
    )
    return ShellNames(own, tuple(earlier))
