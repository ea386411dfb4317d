"""Queries of targets on a real database: what they find, and what runs make of it."""

import json
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from contracts.targets.query import Query, parse_query
from contracts.targets.selecting import condition
from infra.database import Statements
from infra.direct import direct_statement
from tests.support.engine import Engine
from tests.support.target_queries import fits, queries, targets

_OVER_GIVEN = """
    WITH targets AS (
        SELECT (place - 1)::int AS place, x->>'name' AS name, x->>'hostname' AS hostname, x->>'pool' AS pool,
               x->>'os' AS os, x->'tags' AS tags, NULLIF(x->'facts', 'null'::jsonb) AS facts
          FROM jsonb_array_elements(CAST(:given AS jsonb)) WITH ORDINALITY AS g (x, place))
    SELECT place FROM targets WHERE {} ORDER BY place
"""


async def found(session: Statements, query: Query, given: list[dict[str, Any]]) -> list[int]:
    wanted = condition(query)
    rows = await session.scalars(
        text(_OVER_GIVEN.format(wanted.sql)), wanted.values | {"given": json.dumps(given)}
    )
    return list(rows)


@given(st.data())
@settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes longer than a test may
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_the_database_finds_what_the_language_means(engine: Engine, data: st.DataObject) -> None:
    given_targets = data.draw(st.lists(targets, max_size=6))
    for query in data.draw(st.lists(queries, min_size=1, max_size=5)):
        expected = [place for place, target in enumerate(given_targets) if fits(query, target)]
        async with direct_statement(engine.engine) as driver:
            assert await found(driver, query, given_targets) == expected, str(query)
        async with engine.sessions() as session:
            assert await found(session, query, given_targets) == expected, str(query)


async def test_what_sql_reads_as_a_wildcard_is_only_text_here(engine: Engine) -> None:
    names = ["50%", "500", "a_b", "acb", "c\\d", "c\\\\d", "e*f", "eXf"]
    given_targets = [
        {
            "name": name,
            "hostname": "",
            "pool": "",
            "os": "linux",
            "tags": {name: name},
            "facts": {"os_name": name},
        }
        for name in names
    ]
    written = {
        "50%*": ["50%"],
        "a_*": ["a_b"],
        "*\\d": ["c\\d", "c\\\\d"],
        'c"\\\\"d': ["c\\d"],
        'e"*"f': ["e*f"],
        "e*f": ["e*f", "eXf"],
    }
    async with direct_statement(engine.engine) as driver:
        for value, expected in written.items():
            for field in ("name:", "tag:", "facts.os_name:"):
                query = parse_query(field + value)
                places = await found(driver, query, given_targets)
                assert [names[place] for place in places] == expected, str(query)


async def _tag(engine: Engine, **tags: str) -> None:
    for target, tag in tags.items():
        await engine.execute(
            "UPDATE targets SET tags = jsonb_build_object(CAST(:tag AS text), '') WHERE name = :name",
            tag=tag,
            name=target,
        )


async def _places(engine: Engine, run: object) -> list[str]:
    rows = await engine.rows("SELECT target_name FROM tasks WHERE run_id = :r ORDER BY ordinal", r=run)
    return [row.target_name for row in rows]


async def test_a_query_in_a_job_is_answered_when_the_run_is_laid_out(engine: Engine) -> None:
    await engine.targets(4)
    step = {"type": "ssh.exec", "command": "id", "target": {"query": "tag:web !name:t3"}}
    run = await engine.run(step)
    await _tag(engine, t0="web", t2="web", t3="web", t1="db")

    await engine.start(run)

    assert await _places(engine, run) == ["t0", "t2"]


async def test_a_query_chosen_for_a_run_takes_the_place_of_the_jobs_targets(engine: Engine) -> None:
    await engine.targets(3)
    run = await engine.run({"type": "ssh.exec", "command": "id"}, targets=["t0"])
    await engine.execute(
        "UPDATE runs SET targets = NULL, target_query = CAST(:query AS jsonb) WHERE id = :run",
        query=json.dumps({"query": "name:t1,t2", "on_empty": "fail"}),
        run=run,
    )

    await engine.start(run)

    assert await _places(engine, run) == ["t1", "t2"]


async def test_a_query_that_finds_nothing_ends_the_run_with_that_reason(engine: Engine) -> None:
    step = {"type": "ssh.exec", "command": "id", "name": "deploy"}
    failing = await engine.run(step | {"target": {"query": "tag:none"}})
    skipping = await engine.run(step | {"target": {"query": "tag:none", "on_empty": "skip"}})
    going_on = await engine.run(
        step | {"target": {"query": "tag:none", "on_empty": "skip"}}, {"type": "wait", "seconds": 0}
    )

    await engine.start(failing, skipping, going_on)

    assert await engine.status(failing) == "failed"
    reason = await engine.scalar("SELECT reason FROM runs WHERE id = :run", run=failing)
    assert reason == "Step deploy: no target fits the query `tag:none`."
    assert await engine.status(skipping) == "succeeded"
    assert "every step was left out" in await engine.scalar(
        "SELECT reason FROM runs WHERE id = :run", run=skipping
    )
    assert await engine.status(going_on) == "running"
    assert await engine.states(going_on) == {"ready": 1}
