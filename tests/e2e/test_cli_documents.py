"""Whole systems as documents: applied, compared, exported, and refused as a whole when anything is wrong."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml

from tests.support.database import fresh_database
from tests.support.killable_brokers import EmbeddedBroker
from tests.support.system import PASSWORD, System, a_system
from tests.support.up import Ended, Up

pytestmark = [pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="session")]

SAMPLE = "sample-linux-server"
SECRET = "correct-Horse-77"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def other(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """A second system, empty."""
    folder = tmp_path_factory.mktemp("other")
    async with (
        fresh_database() as url,
        a_system(folder, database_url=url, broker=EmbeddedBroker(folder)) as system,
    ):
        await system.started("gateway")
        yield system


def _text(*documents: dict[str, Any]) -> str:
    return yaml.safe_dump_all(documents, sort_keys=False)


def _document(kind: str, name: str, spec: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    head = {"apiVersion": "opsconductor/v1", "kind": kind}
    return head | {"metadata": {"name": name, **metadata}, "spec": spec}


def _target(name: str, **more: Any) -> dict[str, Any]:
    return _document("Target", name, {"os": "linux", "hostname": "127.0.0.1", **more})


def _job(name: str, target: str, **metadata: Any) -> dict[str, Any]:
    return _document("Job", name, {"steps": [_step(target)]}, **metadata)


def _step(target: str) -> dict[str, str]:
    return {"name": "say", "type": "ssh.exec", "target": target, "command": "echo one\necho two\n"}


CREDENTIAL = _document("Credential", "doc-root", {"type": "ssh", "username": "root"})
EVERYTHING = (
    _job("doc greet", "doc-web", labels={"team": "web"}),
    _job("doc off", "doc-web", active=False, inactive_reason="until spring"),
    _target("doc-web", credential="doc-root", tags={"role": "web"}, ssh={"jump_host": {"target": "doc-hop"}}),
    _target("doc-hop", credential="doc-root", tags=["hop"], pool="dmz"),
    CREDENTIAL,
)


def _results(ended: Ended) -> dict[str, str]:
    assert ended.code == 0, ended
    return {line.rpartition(" ")[0]: line.rpartition(" ")[2] for line in ended.out.splitlines()}


def _objects(up: Up, *context: str) -> dict[str, Any]:
    ended = up.command("export", "-o", "json", *context)
    assert ended.code == 0, ended
    return {f"{d['kind']} {d['metadata']['name']}": d for d in json.loads(ended.out)}


async def test_an_exported_system_applied_to_an_empty_one_gives_the_same_system(
    running: Up, other: System, tmp_path: Path
) -> None:
    file = tmp_path / "all.yaml"
    file.write_text(_text(*EVERYTHING))
    secret = ("--secret", "doc-root.password=env:DOC_PASSWORD")
    made = running.command("apply", "-f", str(file), *secret, DOC_PASSWORD=SECRET)
    assert list(_results(made).values()) == ["created"] * 5
    assert made.out.splitlines()[0] == "credential doc-root created"
    assert made.out.index("doc-hop") < made.out.index("doc-web") < made.out.index("doc greet")

    exported = running.command("export", "--dir", str(tmp_path / "first"))
    assert exported.code == 0, exported
    texts = [file.read_text() for file in (tmp_path / "first").rglob("*.yaml")]
    assert SECRET not in "".join(texts)
    assert any("command: |" in text for text in texts)

    url = f"http://127.0.0.1:{other.port}"
    login = ("login", "--url", url, "--context", "other", "--password-stdin")
    assert running.command(*login, typed=PASSWORD + "\n").code == 0
    assert running.command("context", "use", running.url.removeprefix("http://")).code == 0
    there = ("--context", "other")
    secrets = [
        part
        for name in ("doc-root", "sample-linux-operator", "sample-windows-operator")
        for part in ("--secret", f"{name}.password=env:DOC_PASSWORD")
    ]
    first = ("apply", "-f", str(tmp_path / "first"), *there)
    incomplete = running.command(*first)
    assert incomplete.code == 2
    assert "is new and needs its password or private_key: --secret doc-root.password=@FILE" in incomplete.err
    assert _objects(running, *there) == {}, "nothing was made half-way"
    assert set(_results(running.command(*first, *secrets, DOC_PASSWORD=SECRET)).values()) == {"created"}

    assert _objects(running, *there) == _objects(running)
    assert set(_results(running.command(*first)).values()) == {"unchanged"}
    assert running.command("diff", "-f", str(tmp_path / "first"), *there).code == 0
    assert running.command("export", "--dir", str(tmp_path / "second"), *there).code == 0
    assert _folder(tmp_path / "first") == _folder(tmp_path / "second")


def _folder(folder: Path) -> dict[str, str]:
    return {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*.yaml")}


async def test_a_difference_is_shown_and_a_dry_run_changes_nothing(running: Up, tmp_path: Path) -> None:
    file = tmp_path / "hop.yaml"
    file.write_text(
        _text(_target("doc-hop", credential="doc-root", tags={"hop": "", "new": "yes"}, pool="dmz"))
    )
    different = running.command("diff", "-f", str(file))
    assert different.code == 1
    assert "+    new: 'yes'" in different.out
    assert "1 to change" in different.err
    assert running.command("apply", "-f", str(file), "--dry-run").code == 0
    assert running.command("diff", "-f", str(file)).code == 1
    assert _results(running.command("apply", "-f", str(file))) == {"target doc-hop": "changed"}
    assert running.command("diff", "-f", str(file)).code == 0


async def test_wrong_documents_are_refused_with_file_line_and_reason_and_nothing_is_half_applied(
    running: Up, tmp_path: Path
) -> None:
    before = _objects(running)
    folder = tmp_path / "wrong"
    folder.mkdir()
    (folder / "good.yaml").write_text(_text(_target("doc-fine")))
    (folder / "syntax.yaml").write_text("apiVersion: opsconductor/v1\nkind: [Job\n")
    (folder / "port.yaml").write_text(_text(_target("doc-port", ssh={"port": 70_000})))
    (folder / "double.yaml").write_text("apiVersion: opsconductor/v1\nkind: Target\nkind: Job\n")
    refused = running.command("apply", "-f", str(folder))
    assert refused.code == 2
    assert f"{folder}/syntax.yaml:3: this is no YAML" in refused.err
    assert f"{folder}/port.yaml:9: spec.ssh.port: " in refused.err
    assert f"{folder}/double.yaml:3: the key 'kind' stands twice in one object" in refused.err
    for name in ("syntax", "port", "double"):
        (folder / f"{name}.yaml").unlink()

    bad = _job("doc-bad", "doc-fine")
    bad["spec"]["steps"][0]["command"] = "echo ok\nsh -c 'echo {{ nobody }}'\n"
    lost = _target("doc-lost", credential="nobody", ssh={"jump_host": {"target": "nowhere"}})
    circle = [_target(a, ssh={"jump_host": {"target": b}}) for a, b in (("c1", "c2"), ("c2", "c1"))]
    (folder / "more.yaml").write_text(_text(bad, lost, *circle, _job("doc-away", "not-there")))
    refused = running.command("apply", "-f", str(folder))
    assert refused.code == 2
    assert "nobody" in refused.err
    for reason in (
        "spec.credential: there is no credential named nobody",
        "spec.ssh.jump_host.target: there is no target named nowhere",
        "goes in a circle: c1 → c2 → c1",
        "spec.steps.0.target: there is no target named not-there",
        "spec.steps.0.command: ",
    ):
        assert reason in refused.err, refused.err
    assert _objects(running) == before


async def test_prune_deletes_only_what_its_own_source_made(running: Up, tmp_path: Path) -> None:
    both, one = tmp_path / "both.yaml", tmp_path / "one.yaml"
    both.write_text(_text(_target("own-1"), _target("own-2")))
    one.write_text(_text(_target("own-1")))
    source = ("--source", "git/ops", "--prune")
    assert running.command("apply", "-f", str(both), *source).code == 0
    foreign = running.command("apply", "-f", str(both), "--source", "git/other")
    assert foreign.code == 2
    assert "own-1 belongs to the source git/ops" in foreign.err
    unasked = running.command("apply", "-f", str(one), *source)
    assert unasked.code == 2
    assert "--yes" in unasked.err
    before = _objects(running)
    pruned = running.command("apply", "-f", str(one), *source, "--yes")
    assert _results(pruned) == {"target own-1": "unchanged", "target own-2": "deleted"}
    assert _objects(running).keys() == before.keys() - {"Target own-2"}
    assert "--source" in running.command("apply", "-f", str(one), "--prune").err


async def test_machines_are_imported_from_the_lists_of_other_tools(running: Up, tmp_path: Path) -> None:
    table = tmp_path / "machines.csv"
    table.write_text("name,os,hostname,tags,ssh.port\ncsv-1,linux,h1,role=web;new,2222\ncsv-2,beos,h2,,\n")
    refused = running.command("targets", "import", str(table))
    assert refused.code == 2
    assert f"{table}:3: os: " in refused.err
    table.write_text(table.read_text().replace("beos", "linux"))
    previewed = running.command("targets", "import", str(table), "--dry-run")
    assert previewed.code == 0
    assert [line.split()[:2] for line in previewed.out.splitlines()[1:]] == [
        ["csv-1", "created"],
        ["csv-2", "created"],
    ]
    assert "csv-1" not in running.command("targets", "list", "-o", "name").out
    assert running.command("targets", "import", str(table)).code == 0
    shown = json.loads(running.command("get", "target", "csv-1", "-o", "json").out)
    assert shown[0]["spec"]["ssh"] == {"port": 2222}
    assert shown[0]["spec"]["tags"] == {"new": "", "role": "web"}

    inventory = {
        "_meta": {"hostvars": {"ans-1": {"ansible_host": "10.0.0.9", "ansible_connection": "winrm"}}},
        "all": {"children": ["prod"]},
        "prod": {"children": ["web"]},
        "web": {"hosts": ["ans-1", "ans-2"]},
    }
    piped = running.command(
        "targets", "import", "-", "--os", "linux", "-o", "json", typed=json.dumps(inventory)
    )
    assert piped.code == 0, piped
    rows = {row["name"]: row["spec"] for row in json.loads(piped.out)}
    assert rows["ans-1"]["os"] == "windows"
    assert rows["ans-1"]["hostname"] == "10.0.0.9"
    assert rows["ans-2"] == {"os": "linux", "hostname": "ans-2", "tags": {"prod": "", "web": ""}}


async def test_a_document_is_edited_in_the_users_editor(running: Up) -> None:
    edited = running.command("edit", "target", "doc-hop", EDITOR="sed -i s/dmz/far/")
    assert edited.code == 0, edited
    assert "pool: far" in running.command("get", "target", "doc-hop", "-o", "yaml").out
    assert "Nothing was changed" in running.command("edit", "target", "doc-hop", EDITOR="true").err


async def test_objects_are_created_and_deleted_by_name(running: Up) -> None:
    made = running.command(
        "create", "credential", "by-hand", "-u", "root", "--secret", "password=env:P", P=SECRET
    )
    assert made.code == 0, made
    bare = running.command("create", "credential", "bare", "--secret", f"password={SECRET}")
    assert bare.code == 2
    assert SECRET not in bare.err
    rotated = running.command("credentials", "rotate", "by-hand", "--secret", "password=env:P", P="x")
    assert "version 2" in rotated.out
    assert running.command("delete", "credential", "by-hand").code == 2, "it asks, and nobody is there"
    assert running.command("delete", "credential", "by-hand", "--yes").code == 0
    gone = running.command("get", "credential", "by-hand")
    assert gone.code == 2
    assert "There is nothing named by-hand" in gone.err
