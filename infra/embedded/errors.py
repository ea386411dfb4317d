"""What can keep an embedded server or a supervised process from running, told to whoever started it."""

from collections.abc import Iterable

from contracts.errors import OpsError


class ServiceFailed(OpsError):
    """A supervised process could not be started, or ended before it was ready."""

    code = "service_failed"

    @classmethod
    def with_log(cls, message: str, lines: Iterable[str]) -> "ServiceFailed":
        """The message, and under it the last lines that the process wrote."""
        tail = "".join(f"\n    {line}" for line in lines)
        return cls(f"{message} Its last lines:{tail}" if tail else f"{message} It wrote nothing.")


class DataFolderUnusable(ServiceFailed):
    """The data folder cannot be read, written or entered by the one who has to."""

    code = "data_folder_unusable"


class DataFolderInUse(ServiceFailed):
    """Another live supervisor owns this data folder."""

    code = "data_folder_in_use"


class PortTaken(ServiceFailed):
    """Another program listens on a port that we were told to use."""

    code = "port_taken"

    def __init__(self, port: int, *, host: str, purpose: str, remedy: str) -> None:
        super().__init__(
            f"Port {port} on {host}, needed for {purpose}, is taken by another program. "
            f"Stop that program, or {remedy}."
        )
