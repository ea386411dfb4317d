"""The simulated host's table of services."""

from dataclasses import dataclass
from typing import Literal

Status = Literal["Running", "Stopped"]

INITIAL: tuple[tuple[str, str, Status], ...] = (
    ("Dhcp", "DHCP Client", "Running"),
    ("EventLog", "Windows Event Log", "Running"),
    ("LanmanServer", "Server", "Running"),
    ("Spooler", "Print Spooler", "Running"),
    ("W32Time", "Windows Time", "Running"),
    ("WinRM", "Windows Remote Management (WS-Management)", "Running"),
    ("wuauserv", "Windows Update", "Stopped"),
)


@dataclass(slots=True)
class Service:
    """One service; property names as PowerShell shows them."""

    name: str
    display_name: str
    status: Status
    restarts: int = 0

    def property(self, name: str) -> object:
        """None for a property this simulation does not know, as PowerShell answers."""
        properties: dict[str, object] = {
            "name": self.name,
            "servicename": self.name,
            "displayname": self.display_name,
            "status": self.status,
        }
        return properties.get(name.lower())


class ServiceTable:
    """All services of one host, by name or display name, case-insensitive."""

    def __init__(self) -> None:
        self._services = {name.lower(): Service(name, title, status) for name, title, status in INITIAL}

    def all(self) -> list[Service]:
        return sorted(self._services.values(), key=lambda service: service.name.lower())

    def find(self, name: str) -> Service | None:
        service = self._services.get(name.lower())
        if service is not None:
            return service
        return next(
            (one for one in self._services.values() if one.display_name.lower() == name.lower()), None
        )
