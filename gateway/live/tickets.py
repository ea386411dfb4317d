"""Stream tickets: EventSource cannot send a bearer header, and tokens do not belong in addresses."""

import secrets
from collections import OrderedDict
from collections.abc import Callable

from contracts.errors import Unauthenticated
from gateway.principals import Principal

TICKET_SECONDS = 30.0
OPEN_TICKETS = 10_000


class Tickets:
    """Each is good for one stream, on this process, within 30 s."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._open: OrderedDict[str, tuple[float, Principal]] = OrderedDict()

    def issue(self, principal: Principal) -> str:
        ticket = secrets.token_urlsafe(32)
        self._open[ticket] = (self._clock() + TICKET_SECONDS, principal)
        while len(self._open) > OPEN_TICKETS or next(iter(self._open.values()))[0] < self._clock():
            self._open.popitem(last=False)
        return ticket

    def redeem(self, ticket: str) -> Principal:
        """Whose ticket it was; raises `Unauthenticated` when it is used up, too old or not ours."""
        until, principal = self._open.pop(ticket, (0.0, None))
        if principal is None or until < self._clock():
            raise Unauthenticated("The stream ticket is used up or too old; ask for a new one.")
        return principal
