"""What an executor reads of the output that another one stored."""

from dataclasses import replace

from tests.integration.workers.conftest import Floor
from tests.integration.workers.test_fences import STEP, a_chunk, a_worker, claimed
from workers.executor import store
from workers.executor.stored import PAGE, stored_chunks, stored_output


async def test_stored_output_is_read_in_order_and_in_pages(floor: Floor) -> None:
    run = await floor.a_run([STEP], [{"open": 1}])
    worker = await a_worker(floor)
    task = await claimed(floor, worker, run)
    chunks = [
        replace(a_chunk(task, run, 1), seq=number, data=f"{number}\n", source_end=number + 1)
        for number in range(PAGE + 5)
    ]
    async with floor.sessions.begin() as session:
        assert await store.store_chunks(session, worker_id=worker, chunks=chunks) == {task}

    async with floor.sessions() as session:
        first = await stored_chunks(session, task, 1, after=-1)
        rest = await stored_chunks(session, task, 1, after=first[-1].seq)
        assert await stored_chunks(session, task, 1, after=rest[-1].seq) == []
        assert await stored_output(session, task, 1) == (PAGE + 5, {"stdout": PAGE + 5})
    assert [chunk.data for chunk in (*first, *rest)] == [chunk.data for chunk in chunks]
