"""Every error we raise on purpose. `code` is stable: the API, the dead letters and the UI show it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One thing wrong with one field of a request. `field` is a path such as `steps.0.command`."""

    field: str
    reason: str
    line: int | None = None
    suggestion: str | None = None
    """What to write instead, when the reason does not say all of it."""


class OpsError(Exception):
    """Base of all deliberate errors; anything else that escapes is a bug."""

    code: ClassVar[str] = "internal"
    http_status: ClassVar[int] = 500

    def __init__(self, message: str, *, problems: Sequence[FieldProblem] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class NotFound(OpsError):
    code = "not_found"
    http_status = 404

    @classmethod
    def of(cls, kind: str, id: object) -> "NotFound":
        return cls(f"There is no {kind} {id}.")


class Unauthenticated(OpsError):
    """Nobody, or somebody whose proof has run out."""

    code = "unauthenticated"
    http_status = 401


class Forbidden(OpsError):
    code = "forbidden"
    http_status = 403


class Invalid(OpsError):
    """The request was understood and cannot be accepted; `problems` name the fields."""

    code = "invalid"
    http_status = 422


class Conflict(OpsError):
    code = "conflict"
    http_status = 409


class NameTaken(Conflict):
    code = "name_taken"


class StillInUse(Conflict):
    code = "still_in_use"


class StaleEdit(Conflict):
    """Somebody else changed it since it was read."""

    code = "stale_edit"
    http_status = 412


class IdempotencyMismatch(OpsError):
    """The same Idempotency-Key came with another body."""

    code = "idempotency_mismatch"
    http_status = 422


class TooLarge(OpsError):
    code = "too_large"
    http_status = 413


class RateLimited(OpsError):
    """Too many of something. `retry_after` is in seconds."""

    code = "rate_limited"
    http_status = 429

    def __init__(self, message: str, *, retry_after: int = 30) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class IllegalTransition(Conflict):
    """A run or task was asked to move somewhere its state does not allow."""

    code = "illegal_transition"

    def __init__(self, source: str, target: str) -> None:
        super().__init__(f"Cannot go from {source} to {target}.")


class Unavailable(OpsError):
    """The database or the broker cannot be reached just now; nothing was accepted."""

    code = "unavailable"
    http_status = 503


class UnsafeSettings(OpsError):
    """Settings that are missing or unsafe; the message names every one of them."""

    code = "unsafe_settings"


class SealBroken(OpsError):
    """A sealed value was changed, moved to another row, or sealed to a key we do not hold."""

    code = "seal_broken"


class SchemaMismatch(OpsError):
    """The database has a newer schema than this program knows, or none at all."""

    code = "schema_mismatch"
