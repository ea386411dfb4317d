"""What an editor of jobs needs: problems at their line, the author's own text, versions, targets."""

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.access.roles import Role
from contracts.jobs.yamltext import as_yaml
from tests.support.api import Api
from tests.support.rows import end_run

TEXT = """\
# restarts what has to be restarted
name: From text
steps:
  - type: ssh.exec   # one
    name: say
    command: |
      echo begin
      echo '{{ word }}'
parameters:
  word: hello
"""
YAML = {"content-type": "application/yaml"}


async def problems(api: Api, text: str, kind: str = "application/yaml") -> list[dict[str, Any]]:
    answer = await api.client.post("/api/v1/jobs/validate", content=text, headers={"content-type": kind})
    assert answer.status_code == 200, answer.text
    assert answer.json()["valid"] == (not answer.json()["problems"])
    return list(answer.json()["problems"])


async def test_a_problem_in_a_script_is_shown_at_its_line_of_the_document(api: Api) -> None:
    [problem] = await problems(api, TEXT)

    assert (problem["path"], problem["line"]) == ("steps.0.command", 8)
    assert problem["suggestion"]
    assert await problems(api, TEXT.replace("'{{ word }}'", "{{ word }}")) == []


async def test_problems_of_fields_stand_where_the_fields_do_or_should(api: Api) -> None:
    text = TEXT.replace("'{{ word }}'", "x").replace("    name: say\n", "    name: say\n    colour: red\n")
    text += "targets: [nowhere]\n"

    [unknown] = await problems(api, text)
    [missing] = await problems(api, text.replace("    colour: red\n", ""))

    assert (unknown["path"], unknown["line"], unknown["column"]) == ("steps.0.colour", 6, 5)
    assert (missing["path"], missing["line"]) == ("targets.0", 11)


@pytest.mark.parametrize(
    ("text", "kind", "line"),
    [
        ("name: [", "application/yaml", 1),
        ('{"name": \n ]', "application/json", 2),
        ("", "application/yaml", 1),
    ],
)
async def test_what_cannot_be_read_is_a_problem_not_a_refusal(
    api: Api, text: str, kind: str, line: int
) -> None:
    [problem] = await problems(api, text, kind)

    assert problem["line"] in (line, None)
    assert await api.count("jobs") == 0


async def test_json_is_located_alike(api: Api) -> None:
    [problem] = await problems(api, '{"name": "x",\n "steps": [\n  {"type": "wait"}]}', "application/json")

    assert (problem["path"], problem["line"]) == ("steps.0.seconds", 3)


async def test_yaml_comes_back_as_its_author_wrote_it(api: Api) -> None:
    text = TEXT.replace("'{{ word }}'", "{{ word }}")
    await api.a_target("web-1")
    created = await api.client.post("/api/v1/jobs?message=first", content=text, headers=YAML)
    assert created.status_code == 201, created.text
    path = f"/api/v1/jobs/{created.json()['id']}"

    read = await api.client.get(path, headers={"accept": "application/yaml"})
    await api.client.put(path, json=created.json()["definition"])
    made = await api.client.get(path, headers={"accept": "application/yaml"})

    assert (read.headers["content-type"], read.text) == ("application/yaml", text)
    assert "#" not in made.text
    assert made.text.startswith("name: From text\nparameters:\n")
    assert "command: |\n" in made.text
    first = (await api.client.get(f"{path}/versions/1")).json()
    assert (first["text"], first["authored"], first["message"], first["current"]) == (
        text,
        True,
        "first",
        False,
    )
    versions = (await api.client.get(f"{path}/versions")).json()["items"]
    assert [v["version"] for v in versions] == [2, 1]
    assert versions[0]["created_by_name"].startswith("admin-")
    assert (await api.client.get(f"{path}/versions/9")).status_code == 404


words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)


@given(
    st.dictionaries(
        words, words | st.integers(-9, 9) | st.booleans() | st.lists(words, max_size=3), max_size=5
    )
)
@settings(max_examples=60)
def test_a_definition_made_into_yaml_reads_as_itself(document: dict[str, Any]) -> None:
    assert yaml.safe_load(as_yaml(document)) == document


async def test_an_inactive_job_tells_why_and_only_those_who_may_change_it_start_it(api: Api) -> None:
    job = await api.a_job()
    path = f"/api/v1/jobs/{job['id']}"
    off = await api.client.post(f"{path}/deactivate", json={"reason": "Frozen until Monday."})
    refused = await api.client.post(f"{path}/run", json={})
    forced = await api.client.post(f"{path}/run", json={"even_if_inactive": True})
    admin = api.client.headers["authorization"]
    await api.sign_in_as(Role.OPERATOR)
    operator = await api.client.post(f"{path}/run", json={"even_if_inactive": True})
    api.client.headers["authorization"] = admin
    on = await api.client.post(f"{path}/activate")

    assert (off.json()["active"], off.json()["inactive_reason"]) == (False, "Frozen until Monday.")
    assert (refused.status_code, refused.json()["code"]) == (409, "job_inactive")
    assert "Frozen until Monday." in refused.json()["detail"]
    assert (forced.status_code, operator.status_code) == (202, 403)
    assert (on.json()["active"], on.json()["inactive_reason"], on.json()["version"]) == (True, None, 1)


async def test_a_list_tells_how_the_last_runs_went(api: Api) -> None:
    job = await api.a_job()
    ids = [str(await api.a_run(job)) for _ in range(12)]
    for run_id in ids[:3]:
        await end_run(api.engine, run_id, "succeeded")  # type: ignore[arg-type]
    await end_run(api.engine, ids[3], "failed")  # type: ignore[arg-type]
    await api.execute(
        "UPDATE runs SET started_at = ended_at - interval '10 seconds' WHERE ended_at IS NOT NULL"
    )

    [shown] = (await api.client.get("/api/v1/jobs")).json()["items"]

    lately = shown["lately"]
    assert [run["id"] for run in lately["runs"]] == ids[::-1][:10]
    assert (lately["ended"], lately["succeeded"], lately["success_rate"]) == (4, 3, 0.75)
    assert (lately["p50_seconds"], lately["p95_seconds"]) == (10, 10)
    assert shown["updated_by_name"].startswith("admin-")


async def test_targets_are_previewed_step_by_step(api: Api) -> None:
    for name in ("web-1", "web-2", "db-1"):
        await api.a_target(name, tags={"role": name[:-2]})
    step = {"type": "ssh.exec", "command": "id"}
    definition = {
        "name": "x",
        "targets": {"query": "tag:role=web"},
        "steps": [
            step,
            step | {"target": ["db-1", "gone"]},
            {"type": "wait", "seconds": 1, "target": "db-1"},
        ],
    }

    answer = await api.client.post("/api/v1/jobs/preview-targets", json={"definition": definition})

    assert answer.status_code == 200, answer.text
    assert answer.json()["count"] == 3
    assert [(s["count"], s["missing"]) for s in answer.json()["steps"]] == [(2, []), (1, ["gone"]), (1, [])]
    assert sorted(answer.json()["steps"][0]["targets"]) == ["web-1", "web-2"]


async def test_the_schema_is_served_for_editors(api: Api) -> None:
    del api.client.headers["authorization"]

    schema = await api.client.get("/api/v1/schemas/job.json")

    assert schema.json()["$schema"].endswith("2020-12/schema")


async def test_a_wrapped_definition_keeps_its_text_when_both_say_the_same(api: Api) -> None:
    definition = {"name": "told", "steps": [{"type": "ssh.exec", "command": "date"}]}
    text = "name: told\n# why\nsteps:\n  - {type: ssh.exec, command: date}\n"
    wrapped = {"name": "told", "definition": definition, "source": text}

    made = await api.client.post("/api/v1/jobs", json=wrapped)
    path = f"/api/v1/jobs/{made.json()['id']}"
    as_text = await api.client.get(path, headers={"accept": "application/yaml"})
    changed = await api.client.put(path, json={"name": "told", "definition": definition})

    assert (made.status_code, made.json()["source"], made.json()["definition"]) == (201, text, definition)
    assert as_text.text == text
    assert changed.json()["source"] is None


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("name: told\nsteps: [{type: ssh.exec, command: rm}]", "does not say what the definition says"),
        ("name: other\nsteps: [{type: ssh.exec, command: date}]", "does not say what the definition says"),
        ("name: [", "is not YAML"),
        (7, "must be text"),
    ],
)
async def test_a_text_that_says_something_else_is_refused(api: Api, source: Any, reason: str) -> None:
    definition = {"name": "told", "steps": [{"type": "ssh.exec", "command": "date"}]}
    refused = await api.client.post("/api/v1/jobs", json={"definition": definition, "source": source})

    assert refused.status_code == 422, refused.text
    assert refused.json()["errors"] == [{"field": "source", "reason": reason}]
