"""Reading documents and lists of machines, without a server."""

import json
from pathlib import Path

import pytest

from cli.client.problems import CliError
from cli.kinds.inventories import Defaults, read_inventory
from cli.kinds.reading import read_documents
from cli.kinds.registry import KINDS
from cli.kinds.schema import document_schema
from cli.kinds.secrets import given_secrets, split_by_credential

HEAD = "apiVersion: opsconductor/v1\n"


def _faults(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "f.yaml"
    file.write_text(text)
    return [str(fault).removeprefix(f"{file}:") for fault in read_documents([str(file)]).faults]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- 1\n", "1: a document is an object with apiVersion, kind and metadata"),
        ("kind: Job\n", "1: apiVersion: must be opsconductor/v1"),
        (HEAD + "kind: Jobs\n", "2: kind: must be one of Credential, Target, Job"),
        (HEAD + "kind: Target\nmetadata:\n  name: a\n  colour: red\nspec: {os: linux, hostname: h}\n", "5: "),
        (HEAD + "kind: Job\nmetadata: {name: a, active: false}\nspec: {}\n", "3: metadata.active: say why"),
        (HEAD + "kind: Job\nmetadata: {name: a}\nspec:\n  steps: []\n", "5: spec.steps: "),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    faults = _faults(tmp_path, text)
    assert faults
    assert faults[0].startswith(said), faults


def test_a_name_that_stands_twice_is_refused_with_both_places(tmp_path: Path) -> None:
    one = HEAD + "kind: Target\nmetadata: {name: a}\nspec: {os: linux, hostname: h}\n"
    [fault] = _faults(tmp_path, one + "---\n" + one)
    assert fault.startswith("8: metadata.name: Target a stands in ")
    assert fault.endswith(":3 already")


def test_a_secret_is_never_taken_from_an_argument_and_never_repeated_in_an_error() -> None:
    for given in ("password=hunter2", "hunter2"):
        with pytest.raises(CliError, match="a secret is never given itself") as refused:
            given_secrets([given], of="web")
        assert "hunter2" not in str(refused.value)
    assert split_by_credential(["a.b.password=env:X"]) == {"a.b": {"password": "env:X"}}


def test_a_secret_of_one_line_loses_its_line_end_and_a_key_keeps_it(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("text\n")
    given = given_secrets([f"password=@{file}", f"private_key=@{file}"], of="web")
    assert given == {"password": "text", "private_key": "text\n"}


def test_groups_that_hold_one_another_do_not_turn_forever() -> None:
    loop = {"a": {"children": ["b"], "hosts": ["h"]}, "b": {"children": ["a"]}}
    reading = read_inventory("<stdin>", json.dumps(loop), Defaults(os="linux"))
    [document] = reading.documents
    assert document.parsed.spec.tag_map().keys() == {"a", "b"}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_schema_of_every_kind_knows_its_fields(kind: object) -> None:
    schema = document_schema(kind)  # type: ignore[arg-type]
    assert schema["properties"].keys() == {"apiVersion", "kind", "metadata", "spec"}
    assert "labels" in json.dumps(schema)
