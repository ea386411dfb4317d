"""The executor as one role of a worker process."""

from uuid import UUID

from contracts import topology
from contracts.messages import Meta
from contracts.runs.messages import CancelRequested, ExecuteTasks
from infra.process import Process
from infra.sealing import PrivateRing
from infra.settings import read_key
from workers.definitions import Definitions
from workers.executor.feeder import Feeder
from workers.executor.lease import Lease
from workers.executor.ledger import BatchedLedger
from workers.executor.running import Surroundings
from workers.executor.steps import all_plugins
from workers.executor.vault import SealedVault

PREFETCH = 8


def install(process: Process) -> None:
    """Make this process claim and execute tasks of its pools."""
    settings = process.settings
    ring = PrivateRing([read_key(settings.seal_private_key)])
    plugins = all_plugins()

    async def fenced() -> None:
        await feeder.fenced()

    def stop_tasks(task_ids: list[UUID]) -> None:
        feeder.stop_tasks(task_ids)

    lease = Lease(process, on_fenced=fenced, on_cancel=stop_tasks)
    ledger = BatchedLedger(process, lease)
    around = Surroundings(
        ledger=ledger,
        vault=SealedVault(process.sessions, ring),
        plugins=plugins,
        still_mine=lease.check,
    )
    feeder = Feeder(process, lease, Definitions(), around)

    async def on_execute_tasks(command: ExecuteTasks, _meta: Meta) -> None:
        feeder.offer(command.task_ids)

    async def on_cancel_requested(event: CancelRequested, _meta: Meta) -> None:
        feeder.stop_run(event.run_id)

    async def hand_over() -> None:
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
    process.consumers.hear(CancelRequested, on_cancel_requested, owner=f"executor.{lease.worker_id}")
    process.run_while_alive(lease.keep)
    process.run_while_alive(feeder.loop)
    process.at_drain(hand_over)
