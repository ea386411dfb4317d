"""What a cause is."""

from dataclasses import dataclass
from enum import StrEnum


class Retry(StrEnum):
    SAFE = "safe"
    POLICY = "policy"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Cause:
    """A typed cause. `message` and `hint` may hold `{host}`, `{port}`, `{user}`, `{detail}`."""

    code: str
    retry: Retry
    message: str
    hint: str
