"""Messages that no worker can handle, sent as a faulty program would.

`python -m tests.support.poison <amqp url> [<run id> …]`
"""

import asyncio
import sys
from collections.abc import Sequence
from uuid import UUID

from contracts.messages import Meta
from contracts.runs.messages import AdvanceRun, StartRun
from contracts.targets.messages import TestConnection
from infra.broker import Publisher
from infra.unit_of_work import new_meta

HOSTILE = b"""<x-pwned></x-pwned><img src=x onerror="window.__pwned='letter'">"""
BODIES = (b'{"run_id": "no uuid"}', b'{"run_id": "neither"}', HOSTILE)


def _meta() -> Meta:
    return new_meta(principal="tester")


async def poison(amqp_url: str, run_ids: Sequence[str] = ()) -> None:
    """Unreadable commands to the orchestrator; for each run one to the wrong worker, which parks that run."""
    publisher = Publisher(amqp_url, name="poison")
    try:
        for body in BODIES:
            kind = AdvanceRun if body is BODIES[1] else StartRun
            await publisher.publish(
                exchange=kind.exchange,
                routing_key=kind.wire_type,
                wire_type=kind.wire_type,
                body=body,
                meta=_meta(),
            )
        for run_id in map(UUID, run_ids):
            await publisher.publish(
                exchange=TestConnection.exchange,
                routing_key=f"{TestConnection.wire_type}.default",
                wire_type=StartRun.wire_type,
                body=StartRun(run_id=run_id).model_dump_json().encode(),
                meta=_meta(),
            )
    finally:
        await publisher.close()


if __name__ == "__main__":
    asyncio.run(poison(sys.argv[1], sys.argv[2:]))
