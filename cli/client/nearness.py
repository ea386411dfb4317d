"""What somebody may have meant by a name that there is not."""

from collections.abc import Iterable
from difflib import get_close_matches

NEAR = 3


def did_you_mean(name: str, known: Iterable[str]) -> list[str]:
    """A hint that tells of the names most like this one; none when nothing is like it."""
    by_case = {other.lower(): other for other in known}
    near = get_close_matches(name.lower(), by_case, n=NEAR)
    near += [other for other in by_case if name.lower() in other and other not in near]
    shown = " or ".join(repr(by_case[other]) for other in near[:NEAR])
    return [f"Did you mean {shown}?"] if shown else []
