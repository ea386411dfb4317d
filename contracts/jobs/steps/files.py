"""What every step that copies a file may say."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from contracts.jobs.steps.base import RemotePath, RemoteStep

INLINE_BASE64 = 700 * 1024
STEP_SOURCE = "step:"
"""How `src` begins where it names a step instead of an artifact."""


class CopySpec(RemoteStep):
    """Copy a file between the artifact store and the target, verified by SHA-256, moved into place whole."""

    filled: ClassVar[tuple[str, ...]] = ("src", "dest")

    delivery: Literal["at_most_once", "at_least_once"] = "at_least_once"
    """A copy may be repeated: it is put into place whole, and what is there already is left alone."""
    direction: Literal["upload", "download"] = "upload"
    """`upload`: to the target; `download`: from the target into a new artifact."""
    src: Annotated[str, Field(min_length=1, max_length=4_096)] | None = None
    """Upload: an artifact's id, or `step:<name>` for what that step brought back; download: a path."""
    content_base64: Annotated[str, Field(max_length=INLINE_BASE64)] | None = None
    """A small file given in the step itself, instead of `src`."""
    dest: RemotePath | None = None
    """Upload: where the file goes; download: the artifact's name, the file's own when left out."""
    directory: bool = False
    """Upload: unpack the archive (zip or tar.gz) into the folder `dest`; download: pack the folder `src`."""
    transfer: Literal["auto", "stream", "pull"] = "auto"
    """`pull` lets the target fetch the file from here by a one-time address; `auto` decides by size."""

    @model_validator(mode="after")
    def _one_source(self) -> "CopySpec":
        if self.direction == "download":
            if self.src is None or self.content_base64 is not None:
                raise ValueError("a download needs src, the path on the target, and no content_base64")
        elif (self.src is None) == (self.content_base64 is None):
            raise ValueError("an upload needs either src, an artifact, or content_base64")
        elif self.dest is None:
            raise ValueError("an upload needs dest, the path on the target")
        return self


class WinrmCopy(CopySpec):
    """Copy a file or folder to or from a Windows machine."""

    protocol: ClassVar[Literal["winrm", "ssh", "own"] | None] = "winrm"

    type: Literal["winrm.copy"]
