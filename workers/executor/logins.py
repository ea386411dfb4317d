"""A credential that a target has not accepted yet is tried by one attempt at a time.

Many queued tasks with one wrong password would otherwise be that many wrong logins, as many as the target
takes sessions. What this executor has seen accepted is kept in its memory; everything else is asked of the
`Trials`, which all executors share.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Literal, Protocol
from uuid import UUID

from workers.executor.masking import Masker
from workers.executor.steps.base import OpenedCredential, StepFault, TargetView
from workers.executor.steps.undoing import to_its_end

LoginKey = tuple[UUID, UUID, int]
"""Target, credential, version."""
REMEMBERED = 20_000
ALONE_SECONDS = 15.0
"""How long a target that does not answer holds up the first logins on all others, with a version that nobody
has accepted yet."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 0.5

_BEHIND_THE_LOGIN = frozenset({"access_denied", "message_too_large", "program_not_found", "quota"})
"""Causes of a failed start that a host only has for somebody it knows."""


def said_of_login(code: str | None) -> Literal["accepted", "rejected", "nothing"]:
    """What the end of a start says of the credential; `code` is None for a start that succeeded."""
    if code is None or code in _BEHIND_THE_LOGIN:
        return "accepted"
    return "rejected" if code == "auth_rejected" else "nothing"


class Trials(Protocol):
    """First logins of all executors. Both methods wait through outages."""

    async def take(self, key: LoginKey, *, patient: bool) -> Literal["good", "ours", "busy"]:
        """`good`: it was accepted there before. `ours`: nobody else tries it until `end`.

        Who is `patient` tries a version that nobody has accepted yet on one target at a time.
        """

    async def end(self, key: LoginKey, *, accepted: bool) -> None:
        """Say how it ended; harmless where nothing was begun."""


class Holds(Protocol):
    """What is known of rejections. Both methods wait through outages."""

    async def held_back(self, key: LoginKey) -> str | None:
        """Why this version may not be tried on this target; None when it may."""

    async def put(self, key: LoginKey, *, reason: str, run_id: UUID | None) -> None:
        """The target has rejected it."""


class NoHolds:
    """Where nobody keeps a record."""

    async def held_back(self, _key: LoginKey) -> str | None:
        return None

    async def put(self, key: LoginKey, *, reason: str, run_id: UUID | None) -> None: ...


class OwnTrials:
    """Where there is one executor."""

    async def take(self, _key: LoginKey, *, patient: bool) -> Literal["good", "ours", "busy"]:
        return "ours"

    async def end(self, key: LoginKey, *, accepted: bool) -> None: ...


class Turn:
    """The permission to log in, to be left once what was heard of the login is written."""

    def __init__(self, give_back: Callable[[], Awaitable[None]] | None, *, doubted: bool) -> None:
        self._give_back = give_back
        self.doubted = doubted
        """It was not accepted there yet, and may have been rejected by now: look at the holds first."""

    async def leave(self) -> None:
        give_back, self._give_back = self._give_back, None
        if give_back is not None:
            await give_back()


class FirstLogins:
    """Who may log in where. A turn is kept until its rejection is written, so that the next one reads it.

    Implements `steps.logging_in.Logins`.
    """

    def __init__(
        self, trials: Trials | None = None, holds: Holds | None = None, *, remembered: int = REMEMBERED
    ) -> None:
        self._trials = trials or OwnTrials()
        self._holds = holds or NoHolds()
        self._remembered = remembered
        self._accepted: dict[LoginKey, None] = {}
        self._doubted: dict[LoginKey, None] = {}
        self._turns: dict[LoginKey, tuple[asyncio.Lock, int]] = {}
        self._news: dict[tuple[UUID, int], asyncio.Event] = {}
        """By version, what those wait for here who found it busy: that it was accepted somewhere."""

    @asynccontextmanager
    async def first(
        self,
        target: TargetView,
        credential: OpenedCredential,
        *,
        run_id: UUID | None = None,
        even_if_held: bool = False,
    ) -> AsyncIterator[None]:
        """`even_if_held`: somebody has decided that it is tried all the same; in its turn, though."""
        key = (target.id, credential.id, credential.version)
        turn = await self.turn(key)
        try:
            if turn.doubted and not even_if_held and (reason := await self.held_back(key)):
                raise StepFault(
                    "credential_held", host=target.hostname, user=credential.username, detail=reason
                )
            try:
                yield
            except StepFault as fault:
                self.heard(key, fault.cause.code)
                if said_of_login(fault.cause.code) == "rejected":
                    reason = Masker(credential.secrets.values()).mask_all(fault.message)
                    await self._holds.put(key, reason=reason, run_id=run_id)
                raise
            self.heard(key, None)
        finally:
            await to_its_end(turn.leave())

    async def held_back(self, key: LoginKey) -> str | None:
        """Why it may not be tried now, which may be news since the claim."""
        return await self._holds.held_back(key)

    async def turn(self, key: LoginKey) -> Turn:
        """At once where the credential was accepted before, else when nobody else is trying it."""
        if key in self._accepted:
            return Turn(None, doubted=False)
        lock, users = self._turns.get(key) or (asyncio.Lock(), 0)
        self._turns[key] = (lock, users + 1)
        try:
            await lock.acquire()
        except BaseException:
            self._one_less(key)
            raise
        try:
            if key not in self._accepted:
                await self._wait_for_others(key)
        except BaseException:
            await to_its_end(self._given_back(key))
            raise
        turn = Turn(lambda: self._given_back(key), doubted=key not in self._accepted)
        if not turn.doubted:
            await turn.leave()
        return turn

    async def _wait_for_others(self, key: LoginKey) -> None:
        """Until no other executor tries it, or one has seen it accepted."""
        loop = asyncio.get_running_loop()
        began, pause = loop.time(), FIRST_PAUSE_SECONDS
        while True:
            answer = await self._trials.take(key, patient=loop.time() - began < ALONE_SECONDS)
            if answer == "good" and key not in self._doubted:
                self._remember(self._accepted, key)
            if answer != "busy":
                return
            news = self._news.setdefault(key[1:], asyncio.Event())
            with suppress(TimeoutError):
                await asyncio.wait_for(news.wait(), pause * random.uniform(0.75, 1.25))  # noqa: S311
            pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)

    def heard(self, key: LoginKey, code: str | None) -> None:
        """How the start of an attempt ended: with this cause, or well."""
        said = said_of_login(code)
        if said == "accepted":
            self._doubted.pop(key, None)
            self._remember(self._accepted, key)
        elif said == "rejected":
            self._accepted.pop(key, None)
            self._remember(self._doubted, key)

    def _remember(self, keys: dict[LoginKey, None], key: LoginKey) -> None:
        keys[key] = None
        if len(keys) > self._remembered:
            del keys[next(iter(keys))]

    async def _given_back(self, key: LoginKey) -> None:
        accepted = key in self._accepted
        try:
            await self._trials.end(key, accepted=accepted)
            news = self._news.pop(key[1:], None)
            if accepted and news is not None:
                news.set()
        finally:
            self._turns[key][0].release()
            self._one_less(key)

    def _one_less(self, key: LoginKey) -> None:
        lock, users = self._turns[key]
        if users > 1:
            self._turns[key] = (lock, users - 1)
        else:
            del self._turns[key]
