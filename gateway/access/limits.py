"""Slowing down whoever guesses passwords."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, floor

from starlette.requests import Request

from contracts.errors import RateLimited

FREE_TRIES = 10
REFILL_SECONDS = 30.0
REMEMBERED = 50_000


POLICY = f'"sign-in";q={FREE_TRIES};w={FREE_TRIES * REFILL_SECONDS:.0f}'
"""So many tries in so many seconds, as the draft of RateLimit-Policy writes it."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """Tries that are left now, and the seconds until there is one more."""

    left: int
    renews_in: int

    def headers(self) -> list[tuple[bytes, bytes]]:
        standing = f'"sign-in";r={self.left};t={self.renews_in}'
        return [(b"ratelimit-policy", POLICY.encode()), (b"ratelimit", standing.encode())]


class LoginLimiter:
    """Ten failed tries per address and user name at once, then one more every 30 s. One per process."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._spent: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    def check(self, address: str, username: str) -> None:
        """Raises `RateLimited` when this pair has no try left."""
        allowance = self.allowance(address, username)
        if not allowance.left:
            wait = allowance.renews_in
            raise RateLimited(f"Too many failed sign-ins; try again in {wait} seconds.", retry_after=wait)

    def allowance(self, address: str, username: str) -> Allowance:
        debt = self._debt((address, username.lower()))
        left = max(0, floor(FREE_TRIES - debt))
        return Allowance(left, ceil((debt - (FREE_TRIES - 1 - left)) * REFILL_SECONDS) if debt else 0)

    def told(self, request: Request, address: str, username: str) -> None:
        """Every answer to this request says what is left after it."""
        request.scope["answer_headers"] = lambda: self.allowance(address, username).headers()

    def failed(self, address: str, username: str) -> None:
        place = (address, username.lower())
        self._spent[place] = (self._debt(place) + 1, self._clock())
        self._spent.move_to_end(place)
        if len(self._spent) > REMEMBERED:
            self._spent.popitem(last=False)

    def succeeded(self, address: str, username: str) -> None:
        self._spent.pop((address, username.lower()), None)

    def _debt(self, place: tuple[str, str]) -> float:
        debt, since = self._spent.get(place, (0.0, 0.0))
        return max(0.0, debt - (self._clock() - since) / REFILL_SECONDS)
