"""When a rejected credential is tried no more: pure.

One rejection holds it back from the machine that rejected it, and only there: an account may be local, and
one machine must not stop a fleet. Rejections by two machines within ten minutes say that the secret itself
is wrong: it is tried nowhere, before a third machine counts towards locking the account.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

WINDOW = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Rejection:
    """One machine did not accept one version of a credential."""

    target_id: UUID
    at: datetime


def held_everywhere(rejections: Collection[Rejection]) -> bool:
    """Whether two different machines rejected it within `WINDOW` of each other."""
    ordered = sorted(rejections, key=lambda rejection: rejection.at)
    return any(
        earlier.target_id != later.target_id and later.at - earlier.at <= WINDOW
        for place, earlier in enumerate(ordered)
        for later in ordered[place + 1 :]
    )
