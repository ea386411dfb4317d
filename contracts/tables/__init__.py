"""Every table. A table's docstring names its only writer."""

from contracts.tables import (
    access,
    audit,
    credentials,
    deadletters,
    jobs,
    messaging,
    notifications,
    runs,
    schedules,
    streams,
    targets,
    workers,
)
from contracts.tables.base import Base

__all__ = [
    "Base",
    "access",
    "audit",
    "credentials",
    "deadletters",
    "jobs",
    "messaging",
    "notifications",
    "runs",
    "schedules",
    "streams",
    "targets",
    "workers",
]
