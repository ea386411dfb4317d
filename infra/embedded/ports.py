"""Which TCP ports we listen on, the same ones at every start where possible."""

import atexit
import errno
import json
import socket
from dataclasses import dataclass
from pathlib import Path

from infra.embedded.errors import PortTaken
from infra.private_files import write_private

LOOPBACK = "127.0.0.1"
NEIGHBOURS = 100
LAST_PORT = 65_535


def is_free(port: int, *, host: str = LOOPBACK) -> bool:
    """Whether a server could listen there now. OSError when we cannot have that address at all."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As servers do; otherwise connections that just ended would count as a taken port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            return False
    return True


def free_port(preferred: int, *, host: str = LOOPBACK) -> int:
    """`preferred`, else the next free one of the 100 after it, else any free port."""
    for port in range(preferred, min(preferred + NEIGHBOURS, LAST_PORT) + 1):
        if is_free(port, host=host):
            return port
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        port = probe.getsockname()[1]
    return int(port)


_claims: dict[int, socket.socket] = {}


def claim(port: int) -> bool:
    """Whether the loopback port is this process's to give to a server; until it ends, nobody else's.

    A server listens seconds after its port was chosen. Until then the UDP port of the same number, which
    nothing of ours uses, tells others who choose at the same time.
    """
    if port not in _claims:
        holder = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            holder.bind((LOOPBACK, port))
        except OSError:
            holder.close()
            return False
        _claims[port] = holder
    return True


@atexit.register
def _give_back() -> None:
    for holder in _claims.values():
        holder.close()


def require_port(port: int, *, host: str, purpose: str, setting: str) -> None:
    """For a port that people know us by: PortTaken instead of quietly moving elsewhere."""
    if not is_free(port, host=host):
        remedy = f"choose another port with {setting}"
        raise PortTaken(port, host=host, purpose=purpose, remedy=remedy)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenPort:
    """`note` says, for the one who reads the terminal, why it is not the expected port."""

    port: int
    note: str | None


class RememberedPorts:
    """Our own choice of internal loopback ports, kept in a file so that the next start finds the same."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def choose(self, name: str, *, preferred: int) -> ChosenPort:
        """The port used last time, or `preferred` the first time; when taken, the next free one."""
        known = self._read()
        wanted = known.get(name, preferred)
        others = {port for other, port in known.items() if other != name}
        port = free_port(wanted)
        while port in others or not claim(port):
            port = free_port(port + 1)
        if known.get(name) != port:
            write_private(self._file, json.dumps(known | {name: port}, indent=1))
        note = None if port == wanted else f"Port {wanted} for {name} is taken; using {port} from now on."
        return ChosenPort(port=port, note=note)

    def _read(self) -> dict[str, int]:
        try:
            stored = json.loads(self._file.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}  # an unreadable memory only costs the memory
        if not isinstance(stored, dict):
            return {}
        return {
            name: port for name, port in stored.items() if isinstance(port, int) and 0 < port <= LAST_PORT
        }
