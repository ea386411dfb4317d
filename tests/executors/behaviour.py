"""What every executor promises, whatever it acts on; one subclass per step type says how it is provoked.

A promise runs the plug-in inside the executor's own life of an attempt (`RunningAttempt`): masking, limits,
stopping, taking over and settling are the real ones, only the books are kept in memory.
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar
from urllib.parse import quote

import pytest

from contracts.limits import OUTPUT_HEAD_BYTES, OUTPUT_TAIL_BYTES
from tests.support.eventually import eventually
from tests.support.lives import SECRET, Life, Scene, Step
from tests.support.ports import free_port
from workers.executor.steps.base import Fenced

LONG = 9 * 1024 * 1024
"""Bytes of output: more than what is kept of it."""
BEGUN = "begun\n"
FORMS: Mapping[str, bytes] = {
    "plain": SECRET.encode(),
    "base64": base64.b64encode(SECRET.encode()),
    "UTF-16": SECRET.encode("utf-16-le"),
    "base64 of UTF-16": base64.b64encode(SECRET.encode("utf-16-le")),
    "URL": quote(SECRET, safe="").encode(),
}
BORDER = 32 * 1024
"""Output is stored in pieces of about this size."""


class Behaviour:
    """Promises. A subclass overrides what provokes them, and names in `cannot` those that make no sense."""

    type: ClassVar[str]
    cannot: ClassVar[Mapping[str, str]] = {}
    """Promises that cannot apply, each with the reason in words."""
    fails_with: ClassVar[str] = "exit_code"
    unreachable_as: ClassVar[str] = "unreachable"
    after_loss: ClassVar[str] = "succeeded"
    """How a task ends whose worker died while the target acted."""
    after_stop: ClassVar[str] = "cancelled"
    no_text: ClassVar[bytes] = b"caf\xe9 \xff\xfe \x00 \xc3( the end"

    def __init_subclass__(cls) -> None:
        """A promise that cannot apply is not collected."""
        for promise in cls.cannot:
            setattr(cls, promise, None)

    # -- what a subclass says

    @pytest.fixture
    def scene(self) -> Any:
        """The `Scene` of one test; closed by the subclass."""
        raise NotImplementedError

    def works(self) -> Step:
        """A step that succeeds at once and is counted by `ran`."""
        raise NotImplementedError

    def fails(self) -> Step:
        """A step that ends by itself with `fails_with`."""
        raise NotImplementedError

    def goes_on(self) -> Step:
        """A step that shows that it has begun and ends only after `let_end`."""
        raise NotImplementedError

    def says(self, *parts: int | bytes) -> Step:
        """A step whose standard output is these bytes; a number stands for so many `x`."""
        raise NotImplementedError

    async def let_end(self) -> None:
        """What runs since `goes_on` may come to its end."""

    def ran(self) -> int:
        """How often the target did what `works` or `goes_on` order."""
        raise NotImplementedError

    async def left_behind(self) -> list[str]:
        """What attempts left on the target: shells, folders, temporary files, processes."""
        raise NotImplementedError

    async def nobody_listens(self, scene: Scene) -> None:
        """Let the scene's target be one where nobody listens."""
        assert scene.target is not None
        port = free_port()
        scene.target = replace(
            scene.target,
            ssh=scene.target.ssh.model_copy(update={"port": port}),
            winrm=scene.target.winrm.model_copy(update={"port": port}),
        )

    def tries_to_log_in(self) -> int | None:
        """How often somebody knocked at the target with a wrong password; None where it does not tell."""
        return None

    # -- helpers

    def life(self, scene: Scene, step: Step, **fields: Any) -> Life:
        return Life(scene, dict(step) | {"type": self.type} | fields, scene.worker())

    async def nothing_is_left(self) -> None:
        async def left() -> bool:
            return not await self.left_behind()

        try:
            await eventually(left)
        except AssertionError:
            raise AssertionError(await self.left_behind()) from None

    # -- promises

    async def test_what_works_succeeds_and_leaves_nothing_behind(self, scene: Scene) -> None:
        ledger = await self.life(scene, self.works()).through()

        assert ledger.verdict == ("succeeded", None), ledger.shown
        assert self.ran() == 1
        await self.nothing_is_left()

    async def test_what_fails_has_a_cause_and_leaves_nothing_behind(self, scene: Scene) -> None:
        ledger = await self.life(scene, self.fails()).through()

        assert ledger.verdict == ("failed", self.fails_with), ledger.shown
        await self.nothing_is_left()

    async def test_long_output_is_bounded_and_said_to_be_cut(self, scene: Scene) -> None:
        ledger = await self.life(scene, self.says(b"first", LONG, b"last")).through()

        assert ledger.verdict[0] == "succeeded", ledger.shown[-300:]
        assert ledger.truncated
        head, cut, tail = re.split(r"\n(\[\d+ bytes left out here\])\n", ledger.said)
        assert cut
        assert len(head) > OUTPUT_HEAD_BYTES - 2 * BORDER
        assert len(tail) <= OUTPUT_TAIL_BYTES
        assert re.search(r"firstx+\Z", head)
        assert re.match(r"x+last\s*\Z", tail)

    async def test_nothing_is_lost_below_the_limit(self, scene: Scene) -> None:
        size = OUTPUT_HEAD_BYTES - 10_000
        ledger = await self.life(scene, self.says(size, b"end")).through()

        assert (ledger.truncated, ledger.incomplete) == (False, False)
        assert "x" * size + "end" in ledger.said

    async def test_output_is_stored_while_the_target_goes_on(self, scene: Scene) -> None:
        life = self.life(scene, self.goes_on())
        running = life.begin()
        await life.begun()

        assert BEGUN.strip() in life.ledger.said
        assert not running.done()
        await self.let_end()
        await running
        assert life.ledger.verdict == ("succeeded", None), life.ledger.shown

    @pytest.mark.provokes("cancelled")
    async def test_a_cancelled_step_is_stopped_and_leaves_nothing_behind(self, scene: Scene) -> None:
        life = self.life(scene, self.goes_on())
        life.begin()
        await life.begun()

        ledger = await life.stopped("cancelled")

        if self.after_stop == "cancelled":
            assert ledger.verdict == ("cancelled", "cancelled"), ledger.shown
        else:
            assert ledger.verdict == (self.after_stop, "not_verified"), ledger.shown
        await self.nothing_is_left()

    @pytest.mark.provokes("timed_out", "not_verified")
    async def test_a_step_over_its_time_is_stopped_and_leaves_nothing_behind(self, scene: Scene) -> None:
        ledger = await self.life(scene, self.goes_on(), timeoutSec=1.0).through()

        if self.after_stop == "cancelled":
            assert ledger.verdict == ("timed_out", "timed_out"), ledger.shown
        else:
            assert ledger.verdict == (self.after_stop, "not_verified"), ledger.shown
        await self.nothing_is_left()

    async def test_where_nobody_listens_it_is_unreachable_and_nothing_ran(self, scene: Scene) -> None:
        await self.nobody_listens(scene)

        ledger = await self.life(scene, self.works()).through()

        assert ledger.verdict == ("failed", self.unreachable_as), ledger.shown
        assert self.ran() == 0

    async def test_a_wrong_password_is_tried_once_said_and_not_shown(self, scene: Scene) -> None:
        assert scene.credential is not None
        wrong = "another-Passw0rd"
        scene.credential = replace(scene.credential, secrets={"password": wrong})

        ledger = await self.life(scene, self.works()).through()

        assert ledger.verdict == ("failed", "auth_rejected"), ledger.shown
        assert self.ran() == 0
        assert self.tries_to_log_in() in (None, 1)
        assert wrong not in ledger.shown

    async def test_bytes_that_are_no_text_are_shown_without_harm(self, scene: Scene) -> None:
        ledger = await self.life(scene, self.says(self.no_text)).through()

        assert ledger.verdict[0] == "succeeded", ledger.shown
        assert "caf" in ledger.said
        assert "the end" in ledger.said
        assert "\0" not in ledger.said
        ledger.said.encode()  # lone surrogates would not be stored

    @pytest.mark.parametrize("form", FORMS)
    async def test_a_secret_is_never_shown_in_any_form_wherever_output_is_cut(
        self, scene: Scene, form: str
    ) -> None:
        hidden = FORMS[form]
        before = BORDER - len(hidden) // 2
        step = self.says(5_000, b"a:", hidden, before, hidden, before, b":", hidden, b":z")
        ledger = await self.life(scene, step).through()

        assert ledger.verdict[0] == "succeeded", ledger.shown[-300:]
        shown = ledger.shown.encode().replace("\u2400".encode(), b"\0")
        assert [name for name, found in FORMS.items() if found.rstrip(b"=") in shown] == []
        assert shown.count(b"***") >= 3
        assert b"x" * before in shown

    async def test_another_worker_goes_on_with_what_a_killed_one_began(self, scene: Scene) -> None:
        life = self.life(scene, self.goes_on())
        life.begin()
        await life.begun()
        await life.worker.die()

        life.passed_on(scene.worker())
        await self.let_end()
        assert life.running is not None
        await life.running

        assert life.ledger.verdict[0] == self.after_loss, life.ledger.shown
        assert self.ran() == 1
        await self.nothing_is_left()

    async def test_a_worker_killed_before_the_target_acted_leaves_it_to_the_next(self, scene: Scene) -> None:
        life = self.life(scene, self.works())
        life.ledger.on_handle = life.dying
        life.begin()
        await life.dead()
        before, life.ledger.on_handle = self.ran(), lambda: None
        await life.taken_over_by(scene.worker())

        assert before == 0
        assert life.ledger.verdict == ("succeeded", None), life.ledger.shown
        assert self.ran() == 1
        await self.nothing_is_left()

    async def test_a_worker_killed_before_it_stored_its_handle_leaves_nothing_to_whoever_comes(
        self, scene: Scene
    ) -> None:
        life = self.life(scene, self.works())
        life.ledger.before_handle = life.dying
        life.begin()
        await life.dead()
        life.ledger.before_handle = lambda: None
        assert (self.ran(), life.ledger.handle) == (0, None)

        await life.taken_over_by(scene.worker())

        assert life.ledger.verdict == ("succeeded", None), life.ledger.shown
        assert self.ran() == 1
        await self.nothing_is_left()

    async def test_a_cancelled_step_leaves_nothing_of_a_worker_killed_before_it_stored_its_handle(
        self, scene: Scene
    ) -> None:
        life = self.life(scene, self.works())
        life.ledger.before_handle = life.dying
        life.begin()
        await life.dead()

        life.task = replace(life.task, cancel_requested=True)
        await life.taken_over_by(scene.worker())

        assert life.ledger.verdict[0] == "cancelled", life.ledger.shown
        assert self.ran() == 0
        await self.nothing_is_left()

    async def test_what_a_worker_killed_after_settling_has_left_is_cleared_up(self, scene: Scene) -> None:
        life = self.life(scene, self.works())
        life.ledger.on_settled = life.dying
        life.begin()
        await life.dead()
        assert life.ledger.verdict == ("succeeded", None), life.ledger.shown

        await life.cleared_up_by(scene.worker())

        assert self.ran() == 1
        await self.nothing_is_left()

    async def test_a_worker_that_no_longer_holds_the_task_lets_nothing_act(self, scene: Scene) -> None:
        def gone() -> None:
            raise Fenced

        scene.still_mine = gone
        life = self.life(scene, self.works())
        with pytest.raises(Fenced):
            await life.begin()

        assert self.ran() == 0
        assert life.ledger.ended is None


def promises() -> set[str]:
    return {name for name in vars(Behaviour) if name.startswith("test_")}


def subclasses() -> set[type[Behaviour]]:
    """Every step type's own, as far as they are imported."""
    found: set[type[Behaviour]] = set()
    open_: list[type[Behaviour]] = [Behaviour]
    while open_:
        below = open_.pop().__subclasses__()
        found.update(one for one in below if "type" in vars(one))
        open_ += below
    return found
