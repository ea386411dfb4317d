"""Labels: what tools note on jobs, targets and credentials."""

from typing import Any

import pytest

from tests.support.api import Api

STEP = {"type": "wait", "seconds": 1}
OWNED = {"opsconductor/source": "git/ops"}
BODIES: dict[str, dict[str, Any]] = {
    "jobs": {"name": "j", "definition": {"steps": [STEP]}},
    "targets": {"name": "t", "os": "linux", "hostname": "h"},
    "credentials": {"name": "c", "type": "api_key", "token": "x"},
}


@pytest.mark.parametrize("kind", BODIES)
async def test_labels_are_kept_shown_and_left_alone_by_a_change_that_names_none(api: Api, kind: str) -> None:
    path, body = f"/api/v1/{kind}", BODIES[kind]
    made = (await api.client.post(path, json=body | {"labels": OWNED})).json()
    assert made["labels"] == OWNED
    changed = {"name": "renamed"} if kind == "credentials" else body
    kept = await api.client.put(f"{path}/{made['id']}", json=changed)
    assert kept.status_code == 200, kept.text
    assert kept.json()["labels"] == OWNED
    await api.client.put(f"{path}/{made['id']}", json=changed | {"labels": {}})
    [listed] = (await api.client.get(path)).json()["items"]
    assert listed["labels"] == {}


@pytest.mark.parametrize("kind", BODIES)
@pytest.mark.parametrize("labels", [{"a b": "x"}, {"a": 1}, ["a"]])
async def test_wrong_labels_are_refused_by_name(api: Api, kind: str, labels: Any) -> None:
    answer = await api.client.post(f"/api/v1/{kind}", json=BODIES[kind] | {"labels": labels})
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"].startswith("labels")
