"""What every step that logs in promises about hosts that are away when there is something to remove there."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from tests.executors.behaviour import Behaviour
from tests.support.lives import Life, Scene
from tests.support.tcp_relay import TcpRelay


class GoesAway(Behaviour):
    """Promises, for a target that is reached through a relay which can be switched off."""

    @pytest.fixture
    async def network(self, scene: Scene) -> AsyncIterator[TcpRelay]:
        """Between the executors and the scene's target."""
        assert scene.target is not None
        windows = scene.target.os == "windows"
        port = scene.target.winrm.effective_port if windows else scene.target.ssh.port
        relay = TcpRelay("127.0.0.1", port)
        await relay.start()
        scene.target = replace(
            scene.target,
            winrm=scene.target.winrm.model_copy(update={"port": relay.port}),
            ssh=scene.target.ssh.model_copy(update={"port": relay.port}),
        )
        yield relay
        await relay.stop()

    async def test_what_stays_on_a_host_that_went_away_is_named_and_removed_when_it_is_back(
        self, scene: Scene, network: TcpRelay
    ) -> None:
        going: list[asyncio.Task[None]] = []
        life = self.life(scene, self.works())
        life.ledger.on_settled = lambda: going.append(asyncio.create_task(network.stop()))
        await life.begin()
        await going[0]
        assert life.ledger.verdict == ("succeeded", None), life.ledger.shown
        assert life.ledger.left is not None
        assert "?" not in life.ledger.left

        await life.cleared_up_by(scene.worker())
        assert life.ledger.left is not None, "it is away still"
        await network.start()
        await life.cleared_up_by(scene.worker())

        assert life.ledger.left is None
        assert self.ran() == 1
        await self.nothing_is_left()


class LeavesHalves(GoesAway):
    """Promises about what a copy has half written."""

    async def _killed_in_the_middle(self, scene: Scene) -> Life:
        life = self.life(scene, self.goes_on())
        life.begin()
        await life.begun()
        await life.worker.die()
        assert await self.left_behind()
        return life

    async def test_half_a_copy_of_a_killed_worker_goes_when_the_task_is_cancelled(self, scene: Scene) -> None:
        life = await self._killed_in_the_middle(scene)

        life.task = replace(life.task, cancel_requested=True)
        await life.taken_over_by(scene.worker())

        assert life.ledger.verdict == ("cancelled", "cancelled"), life.ledger.shown
        assert (self.ran(), life.ledger.left or "") == (0, "")
        await self.nothing_is_left()

    async def test_half_a_copy_on_a_host_that_is_away_goes_when_it_is_back(
        self, scene: Scene, network: TcpRelay, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("workers.executor.starting.RESUME_SECONDS", 0.1)
        life = await self._killed_in_the_middle(scene)
        await network.stop()

        life.task = replace(life.task, cancel_requested=True)
        await life.taken_over_by(scene.worker())
        assert life.ledger.ended is not None
        assert life.ledger.left is not None
        assert ".ops-" in life.ledger.left, "whoever has to look for it is told its name"

        await network.start()
        await life.cleared_up_by(scene.worker())

        assert (self.ran(), life.ledger.left or "") == (0, "")
        await self.nothing_is_left()

    async def test_half_a_copy_settled_by_somebody_else_goes(self, scene: Scene) -> None:
        life = await self._killed_in_the_middle(scene)

        await life.cleared_up_by(scene.worker())

        assert (self.ran(), life.ledger.left or "") == (0, "")
        await self.nothing_is_left()

    async def test_half_a_copy_is_kept_for_the_next_attempt_and_goes_when_there_is_none(
        self, scene: Scene, network: TcpRelay
    ) -> None:
        life = self.life(scene, self.goes_on(), retry={"attempts": 2})
        running = life.begin()
        await life.begun()
        await network.stop()
        await self.let_end()
        await running
        assert life.ledger.verdict == ("failed", "connection_lost"), life.ledger.shown
        assert life.ledger.left is not None
        await network.start()

        await life.cleared_up_by(scene.worker(), over=False)
        assert life.ledger.left is not None
        half = await self.left_behind()
        assert len(half) == 1, "the half file, and no shell"

        await life.cleared_up_by(scene.worker())
        assert life.ledger.left is None
        await self.nothing_is_left()
