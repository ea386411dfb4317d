"""Every table. A table's docstring names its only writer."""

from contracts.tables import (
    access,
    artifacts,
    audit,
    credentials,
    deadletters,
    jobs,
    messaging,
    notifications,
    runs,
    schedules,
    seats,
    streams,
    targets,
    testing,
    views,
    workers,
)
from contracts.tables.base import Base

__all__ = [
    "Base",
    "access",
    "artifacts",
    "audit",
    "credentials",
    "deadletters",
    "jobs",
    "messaging",
    "notifications",
    "runs",
    "schedules",
    "seats",
    "streams",
    "targets",
    "testing",
    "views",
    "workers",
]
