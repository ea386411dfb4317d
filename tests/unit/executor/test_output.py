"""What an attempt prints reaches storage before the attempt is settled, in numbers without gaps."""

import asyncio
from uuid import uuid4

from tests.support.eventually import eventually
from workers.executor.masking import Masker
from workers.executor.output import AttemptOutput, Chunk


class SlowStorage:
    """Takes chunks at once and confirms them when the test says so."""

    def __init__(self) -> None:
        self.taken: list[Chunk] = []
        self.stored: list[Chunk] = []
        self.confirm = asyncio.Event()

    async def store(self, chunk: Chunk) -> None:
        self.taken.append(chunk)
        await self.confirm.wait()
        self.stored.append(chunk)

    def output(self) -> AttemptOutput:
        return AttemptOutput(
            task_id=uuid4(), run_id=uuid4(), attempt=1, fence=1, masker=Masker([]), store=self.store
        )


async def test_output_is_not_finished_before_a_chunk_under_way_is_stored() -> None:
    storage = SlowStorage()
    output = storage.output()
    await output.write("stdout", b"one\n")
    await eventually(lambda: storage.taken)
    finishing = asyncio.create_task(output.finish())
    for _ in range(20):
        await asyncio.sleep(0)
    assert not finishing.done()
    storage.confirm.set()
    await finishing
    assert [chunk.data for chunk in storage.stored] == ["one\n"]


async def test_no_number_is_given_out_while_the_one_before_is_not_stored() -> None:
    storage = SlowStorage()
    output = storage.output()
    await output.write("stdout", b"one\n")
    await eventually(lambda: storage.taken)
    await output.write("stderr", b"two\n")
    finishing = asyncio.create_task(output.finish())
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(storage.taken) == 1
    storage.confirm.set()
    await finishing
    assert [chunk.seq for chunk in storage.stored] == [0, 1]
