"""Steps on Linux and Unix machines, over SSH."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from contracts.jobs.steps.base import ExecSpec, Filled, RemoteStep, Script
from contracts.jobs.steps.files import INLINE_BASE64, CopySpec

BOUND_SHELLS = frozenset({"sh", "bash", "dash"})
"""Shells whose scripts may hold placeholders: those that the binding rules were made and tested for."""


class SudoAs(BaseModel):
    """Run as another user, through sudo."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    user: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,63}$")] = "root"


class SshStep(RemoteStep):
    """What steps over SSH have in common."""

    sudo: SudoAs | None = None
    """`true` runs as root, `{"user": name}` as somebody else; the account itself when left out."""

    @field_validator("sudo", mode="before")
    @classmethod
    def _true_is_root(cls, value: Any) -> Any:
        if isinstance(value, bool):
            return SudoAs() if value else None
        return value


class SshCommand(SshStep, ExecSpec):
    """What steps that run something on the target have in common."""

    pty: bool = False
    """Run in a terminal: for programs that insist on one. Both streams arrive as stdout then."""


class SshExec(SshCommand):
    """Run a script on a Linux or Unix machine."""

    protocol: ClassVar[Literal["winrm", "ssh", "own"] | None] = "ssh"

    type: Literal["ssh.exec"]
    command: Script
    shell: Literal["sh", "bash", "dash", "zsh", "ksh", "python3", "perl"] = "sh"
    """What reads the command. Only sh, bash and dash scripts may hold placeholders."""


class SshScript(SshCommand):
    """Run a file from the artifact store as a program on a Linux or Unix machine."""

    filled: ClassVar[tuple[str, ...]] = (*ExecSpec.filled, "src", "arguments")

    protocol: ClassVar[Literal["winrm", "ssh", "own"] | None] = "ssh"

    type: Literal["ssh.script"]
    src: Annotated[str, Field(min_length=1, max_length=4_096)] | None = None
    """An artifact's id, or `step:<name>` for what that step brought back."""
    content_base64: Annotated[str, Field(max_length=INLINE_BASE64)] | None = None
    """A small script given in the step itself, instead of `src`."""
    interpreter: Annotated[str, Field(pattern=r"^[A-Za-z0-9_./+-]{1,255}$")] | None = None
    """The program that reads the file; the one its first line names (`#!`), else sh, when left out."""
    arguments: Annotated[tuple[Filled, ...], Field(max_length=1_000)] = ()
    """Passed on one by one as they are: no shell reads them. They show in the target's process list."""

    @model_validator(mode="after")
    def _one_source(self) -> "SshScript":
        if (self.src is None) == (self.content_base64 is None):
            raise ValueError("a script needs either src, an artifact, or content_base64")
        return self


class SshCopy(CopySpec, SshStep):
    """Copy a file or a folder between the artifact store and a Linux or Unix machine."""

    protocol: ClassVar[Literal["winrm", "ssh", "own"] | None] = "ssh"

    type: Literal["ssh.copy"]
    mode: Annotated[str, Field(pattern=r"^0?[0-7]{3,4}$")] | None = None
    """Permissions of the file in octal, for example 0644; those of the file it replaces when left out."""
