"""The executor as one role of a worker process."""

from uuid import UUID

from contracts import topology
from contracts.messages import Meta
from contracts.runs.messages import CancelRequested, ExecuteTasks
from contracts.targets.messages import TestConnection
from infra.process import Process
from infra.sealing import PrivateRing
from infra.settings import read_key
from workers.definitions import Definitions
from workers.executor.artifacts import artifacts_of_tasks
from workers.executor.feeder import Feeder
from workers.executor.lease import Lease
from workers.executor.ledger import BatchedLedger
from workers.executor.logins import FirstLogins
from workers.executor.progress import ProgressBoard
from workers.executor.steps import all_plugins
from workers.executor.surroundings import Surroundings
from workers.executor.testing.tester import Tester
from workers.executor.tidying import Tidier
from workers.executor.trials import SharedHolds, SharedTrials
from workers.executor.vault import SealedVault

PREFETCH = 8


def install(process: Process) -> None:
    """Make this process claim and execute tasks of its pools."""
    settings = process.settings
    ring = PrivateRing([read_key(settings.seal_private_key)])

    async def fenced() -> None:
        await tester.let_go()
        await feeder.fenced()

    def stop_tasks(task_ids: list[UUID]) -> None:
        feeder.stop_tasks(task_ids)

    lease = Lease(process, on_fenced=fenced, on_cancel=stop_tasks)
    logins = FirstLogins(SharedTrials(process, lease), SharedHolds(process))
    plugins = all_plugins(egress_allow=settings.egress_allow, logins=logins)
    ledger = BatchedLedger(process, lease)
    progress = ProgressBoard(process)
    vault = SealedVault(process.sessions, ring)
    around = Surroundings(
        ledger=ledger,
        vault=vault,
        plugins=plugins,
        still_mine=lease.check,
        artifacts=artifacts_of_tasks(process),
        reporter=progress.reporter,
        logins=logins,
    )
    definitions = Definitions()
    feeder = Feeder(process, lease, definitions, around)
    tester = Tester(process, lease, vault, logins)
    tidier = Tidier(process, lease, definitions, around)

    async def on_execute_tasks(command: ExecuteTasks, _meta: Meta) -> None:
        feeder.offer(command.task_ids)

    async def on_test_connection(command: TestConnection, _meta: Meta) -> None:
        tester.offer(command.test_id)

    async def on_cancel_requested(event: CancelRequested, _meta: Meta) -> None:
        feeder.stop_run(event.run_id)

    async def hand_over() -> None:
        await lease.drain()
        await tester.drain()
        await feeder.drain(settings.drain_seconds)
        await feeder.let_go()
        await ledger.flush()
        await lease.give_back(reason="stopped")
        for plugin in plugins.values():
            await plugin.close()

    process.before_consuming(lease.acquire)
    for pool in settings.pools:
        queue = topology.EXECUTE_TASKS.for_pool(pool)
        process.consumers.on(queue, ExecuteTasks, on_execute_tasks, prefetch=PREFETCH)
        tests = topology.TEST_CONNECTIONS.for_pool(pool)
        process.consumers.on(tests, TestConnection, on_test_connection, prefetch=PREFETCH)
    process.consumers.hear(CancelRequested, on_cancel_requested, owner=f"executor.{lease.worker_id}")
    process.run_while_alive(lease.keep)
    process.run_while_alive(feeder.loop)
    process.run_while_alive(progress.loop)
    process.run_while_alive(tester.loop)
    process.run_while_alive(tidier.loop)
    process.at_drain(hand_over)
