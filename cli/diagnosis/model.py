"""One finding of `opsconductor doctor`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """`remedy` says what to do and is empty when all is well."""

    check: str
    ok: bool
    detail: str
    remedy: str = ""


def good(check: str, detail: str) -> Finding:
    return Finding(check, ok=True, detail=detail)


def bad(check: str, detail: str, remedy: str) -> Finding:
    return Finding(check, ok=False, detail=detail, remedy=remedy)
