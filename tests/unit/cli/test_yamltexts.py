"""What an author wrote of a job survives the way to the server and back, or is left out whole."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.kinds.reading import read_documents
from cli.kinds.yamltexts import written
from contracts.jobs.yamltext import dumped

FILE = """\
# Owned by the web team.

apiVersion: opsconductor/v1
kind: Job
metadata:
  name: tidy up
spec:
    # Only on Sundays.
    targets: [web-1]   # the old one

    steps:
      - name: tidy
        type: ssh.exec
        command: |
          # a comment of the script
          rm -rf "/tmp/x"

          echo done
# further left
      - {type: ssh.exec, name: 'quoted', command: "echo 'é'"}
"""
SOURCE = """\
# Owned by the web team.

name: tidy up
# Only on Sundays.
targets: [web-1]   # the old one

steps:
  - name: tidy
    type: ssh.exec
    command: |
      # a comment of the script
      rm -rf "/tmp/x"

      echo done
# further left
  - {type: ssh.exec, name: 'quoted', command: "echo 'é'"}
"""


def read(tmp_path: Path, text: str) -> Any:
    file = tmp_path / "job.yaml"
    file.write_text(text, encoding="utf-8")
    reading = read_documents([str(file)])
    assert not reading.faults
    return reading.documents[-1]


def test_comments_and_layout_reach_the_server_without_the_envelope(tmp_path: Path) -> None:
    assert read(tmp_path, FILE).source == SOURCE


def test_of_several_documents_in_a_file_each_has_its_own_text(tmp_path: Path) -> None:
    target = "# a machine\napiVersion: opsconductor/v1\nkind: Target\nmetadata: {name: a}\n"
    target += "spec: {os: linux, hostname: h}\n# the end of it\n"

    assert read(tmp_path, target + "---\n" + FILE).source == SOURCE
    assert read(tmp_path, FILE + "---\n" + target).source is None


def test_what_comes_back_says_the_same_and_is_stable(tmp_path: Path) -> None:
    document = yaml.safe_load(FILE)
    back = written(document, SOURCE)

    assert yaml.safe_load(back) == document
    assert back.startswith("# Owned by the web team.\n\napiVersion: ")
    for remark in ("  # Only on Sundays.\n", "# the old one\n", "# further left\n"):
        assert remark in back
    assert read(tmp_path, back).source == SOURCE
    assert written(document, read(tmp_path, back).source) == back


@pytest.mark.parametrize(
    "spec",
    [
        "{steps: [{type: ssh.exec, command: x}]}",
        "\n  steps:\n    - &a {type: ssh.exec, command: x}\n  targets: &t [b]\n  labels: *t",
        "\n  steps: [{type: ssh.exec, command: *x}]",
    ],
    ids=["in one line", "anchors", "an alias into the metadata"],
)
def test_a_text_that_cannot_be_told_from_the_rest_is_left_out(tmp_path: Path, spec: str) -> None:
    text = f"apiVersion: opsconductor/v1\nkind: Job\nmetadata: {{name: &x a}}\nspec: {spec}\n"
    file = tmp_path / "job.yaml"
    file.write_text(text)

    assert [document.source for document in read_documents([str(file)]).documents] in ([None], [])


@pytest.mark.parametrize(
    "source",
    [
        "name: other\nsteps:\n  - {type: ssh.exec, command: x}\n",
        "{name: a, steps: [{type: ssh.exec, command: x}]}\n",
        'name: "a\n  "\nsteps: []\n',
        "name: [",
        "",
        "name: a\rsteps: []",
    ],
)
def test_a_stored_text_that_does_not_fit_is_not_shown(source: str) -> None:
    spec = {"steps": [{"type": "ssh.exec", "command": "x"}], "description": "d"}
    document = {"apiVersion": "opsconductor/v1", "kind": "Job", "metadata": {"name": "a"}, "spec": spec}

    assert written(document, source) == dumped(document)


@settings(deadline=None)
@given(st.text(st.sampled_from("a#:-|>'\" \n\t[]{}&*!%@é"), max_size=60), st.booleans())
def test_no_text_is_ever_shown_that_says_something_else(noise: str, first: bool) -> None:  # noqa: FBT001
    spec = {"steps": [{"type": "ssh.exec", "command": "x"}]}
    document = {"apiVersion": "opsconductor/v1", "kind": "Job", "metadata": {"name": "a"}, "spec": spec}
    body = "name: a\nsteps:\n  - type: ssh.exec\n    command: x\n"

    assert yaml.safe_load(written(document, noise + body if first else body + noise)) == document
