"""Who may log in where, while nobody knows whether the password is right."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.causes import CAUSES
from contracts.targets.specs import SshSettings, WinrmSettings
from tests.support.eventually import PATIENCE
from workers.executor import logins as logins_module
from workers.executor.logins import FirstLogins, LoginKey, said_of_login
from workers.executor.steps.base import OpenedCredential, StepFault, TargetView

KEY: LoginKey = (UUID(int=1), UUID(int=2), 1)


@given(st.sampled_from(sorted(CAUSES)))
def test_only_a_rejection_rejects_and_only_what_lies_behind_the_login_accepts(code: str) -> None:
    said = said_of_login(code)

    assert (said == "rejected") == (code == "auth_rejected")
    if CAUSES[code].code in {"unreachable", "name_unresolved", "tls_untrusted", "host_key_mismatch"}:
        assert said == "nothing"


@given(st.integers(2, 40), st.integers(0, 39), st.lists(st.booleans(), max_size=40))
async def test_one_tries_at_a_time_until_one_was_accepted(
    attempts: int, right_from: int, unreachable: list[bool]
) -> None:
    """`right_from`: from which try on the password is right. No two are under way before it was accepted."""
    logins, tries, at_once, most = FirstLogins(), 0, 0, 0
    accepted = False

    async def attempt(number: int) -> None:
        nonlocal tries, at_once, most, accepted
        turn = await logins.turn(KEY)
        at_once += 1
        if not accepted:
            most = max(most, at_once)
        await asyncio.sleep(0)
        tries += 1
        if number < len(unreachable) and unreachable[number]:
            logins.heard(KEY, "unreachable")
        elif tries > right_from:
            accepted = True
            logins.heard(KEY, None)
        else:
            logins.heard(KEY, "auth_rejected")
        await asyncio.sleep(0)
        at_once -= 1
        await turn.leave()

    await asyncio.gather(*map(attempt, range(attempts)))

    assert most <= 1
    assert not logins._turns


async def test_whoever_waited_behind_a_rejection_is_told_to_look_at_the_holds_first() -> None:
    logins = FirstLogins()
    first = await logins.turn(KEY)
    waiting = asyncio.create_task(logins.turn(KEY))
    await asyncio.sleep(0)
    assert not waiting.done()

    logins.heard(KEY, "auth_rejected")
    await first.leave()

    assert (await waiting).doubted
    await (await waiting).leave()
    logins.heard(KEY, None)
    assert not (await logins.turn(KEY)).doubted


async def test_one_that_waits_in_vain_leaves_nothing_behind() -> None:
    logins = FirstLogins()
    first = await logins.turn(KEY)
    waiting = asyncio.create_task(logins.turn(KEY))
    await asyncio.sleep(0)

    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await first.leave()

    assert not logins._turns


async def test_what_is_remembered_is_bounded() -> None:
    logins = FirstLogins(remembered=3)
    for number in range(10):
        logins.heard((UUID(int=number), UUID(int=2), 1), None)

    assert len(logins._accepted) == 3


class SharedBoard:
    """What two executors share, in memory: one trial of a key at a time, and what was accepted."""

    def __init__(self) -> None:
        self.trying: set[LoginKey] = set()
        self.good: set[LoginKey] = set()

    async def take(self, key: LoginKey, *, patient: bool) -> Literal["good", "ours", "busy"]:
        if key in self.good:
            return "good"
        if key in self.trying:
            return "busy"
        self.trying.add(key)
        return "ours"

    async def end(self, key: LoginKey, *, accepted: bool) -> None:
        self.trying.discard(key)
        if accepted:
            self.good.add(key)


async def test_what_another_executor_saw_accepted_needs_no_turn() -> None:
    board = SharedBoard()
    one, two = FirstLogins(board), FirstLogins(board)
    first = await one.turn(KEY)
    waiting = asyncio.create_task(two.turn(KEY))
    await asyncio.sleep(0)
    assert not waiting.done()

    one.heard(KEY, None)
    await first.leave()

    assert not (await waiting).doubted
    assert not board.trying


async def test_whoever_is_called_off_while_it_waits_gives_nothing_away_that_another_holds() -> None:
    board = SharedBoard()
    one, two = FirstLogins(board), FirstLogins(board)
    first = await one.turn(KEY)
    waiting = asyncio.create_task(two.turn(KEY))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)

    one.heard(KEY, "auth_rejected")
    await first.leave()

    assert (await two.turn(KEY)).doubted


@dataclass
class Record:
    """Rejections that are known, in memory."""

    held: dict[LoginKey, str] = field(default_factory=dict)

    async def held_back(self, key: LoginKey) -> str | None:
        return self.held.get(key)

    async def put(self, key: LoginKey, *, reason: str, run_id: UUID | None) -> None:
        await asyncio.sleep(0)
        self.held[key] = reason


TARGET = TargetView(
    id=KEY[0], name="host", hostname="host.test", os="linux", winrm=WinrmSettings(), ssh=SshSettings()
)
CREDENTIAL = OpenedCredential(
    id=KEY[1], version=KEY[2], type="ssh", username="ops", secrets={"password": "secret-word"}
)


async def _turned_away(logins: FirstLogins, knocks: list[int], *, even_if_held: bool) -> None:
    async with logins.first(TARGET, CREDENTIAL, even_if_held=even_if_held):
        knocks.append(1)
        await asyncio.sleep(0)
        raise StepFault("auth_rejected", host="host.test", detail="secret-word")


async def _log_in(logins: FirstLogins, knocks: list[int], *, even_if_held: bool = False) -> str:
    with pytest.raises(StepFault) as fault:
        await _turned_away(logins, knocks, even_if_held=even_if_held)
    return fault.value.cause.code


async def test_however_many_log_in_over_however_many_executors_a_wrong_password_is_tried_once() -> None:
    board, record, knocks = SharedBoard(), Record(), list[int]()
    executors = [FirstLogins(board, record) for _ in range(3)]

    codes = await asyncio.gather(*(_log_in(logins, knocks) for logins in executors for _ in range(10)))

    assert len(knocks) == 1
    assert Counter(codes) == {"auth_rejected": 1, "credential_held": 29}
    assert not board.trying
    assert "secret-word" not in str(record.held)


async def test_who_decides_to_try_a_held_credential_does_so_in_turn() -> None:
    logins, knocks = FirstLogins(SharedBoard(), Record(held={KEY: "rejected"})), list[int]()

    assert await _log_in(logins, knocks) == "credential_held"
    assert await _log_in(logins, knocks, even_if_held=True) == "auth_rejected"

    assert len(knocks) == 1


async def test_once_accepted_logins_wait_for_nobody() -> None:
    logins = FirstLogins(SharedBoard(), Record())
    async with logins.first(TARGET, CREDENTIAL):
        pass

    async with logins.first(TARGET, CREDENTIAL), logins.first(TARGET, CREDENTIAL):
        pass


async def test_a_login_that_is_called_off_says_nothing_and_lets_the_next_one_try() -> None:
    board = SharedBoard()
    one, two = FirstLogins(board, Record()), FirstLogins(board, Record())
    begun = asyncio.Event()

    async def hang() -> None:
        async with one.first(TARGET, CREDENTIAL):
            begun.set()
            await asyncio.sleep(60)

    hanging = asyncio.create_task(hang())
    await begun.wait()
    hanging.cancel()
    await asyncio.gather(hanging, return_exceptions=True)

    assert not board.trying
    assert not board.good
    async with two.first(TARGET, CREDENTIAL):
        pass


class AloneBoard(SharedBoard):
    """As the database keeps it: until one target has accepted a version, one target is tried at a time."""

    async def take(self, key: LoginKey, *, patient: bool) -> Literal["good", "ours", "busy"]:
        if self.trying and not self.good:
            return "busy"
        return await super().take(key, patient=patient)


async def test_those_that_wait_for_the_first_target_go_on_when_it_has_accepted_and_not_at_their_next_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logins_module, "FIRST_PAUSE_SECONDS", 3600.0)
    logins = FirstLogins(AloneBoard())
    first = await logins.turn(KEY)
    others = [asyncio.create_task(logins.turn((UUID(int=n), *KEY[1:]))) for n in range(10, 20)]
    await asyncio.sleep(0)
    assert not any(other.done() for other in others)

    logins.heard(KEY, None)
    await first.leave()

    async with asyncio.timeout(PATIENCE):
        for other in others:
            await (await other).leave()
    assert not logins._news
