"""Slowing down whoever guesses passwords."""

from collections import OrderedDict
from collections.abc import Callable

from contracts.errors import RateLimited

FREE_TRIES = 10
REFILL_SECONDS = 30.0
REMEMBERED = 50_000


class LoginLimiter:
    """Ten failed tries per address and user name at once, then one more every 30 s. One per process."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._spent: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    def check(self, address: str, username: str) -> None:
        """Raises `RateLimited` when this pair has no try left."""
        if self._debt((address, username.lower())) > FREE_TRIES - 1:
            raise RateLimited("Too many failed sign-ins; wait a minute and try again.")

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
