"""Jobs keep the words of their authors on the way to the server and back."""

from pathlib import Path

import pytest

from tests.support.up import Up

pytestmark = pytest.mark.timeout(400)


async def test_comments_and_layout_of_a_job_come_back_as_they_were_written(
    running: Up, tmp_path: Path
) -> None:
    file = tmp_path / "job.yaml"
    file.write_text(
        """# Owned by the web team.
apiVersion: opsconductor/v1
kind: Job
metadata:
  name: doc told
spec:
  # Only on Sundays.
  steps:
    - {type: ssh.exec, target: sample-linux-server, command: "echo one"}   # short
"""
    )
    assert running.command("apply", "-f", str(file)).out == "job doc told created\n"
    assert running.command("apply", "-f", str(file)).out == "job doc told unchanged\n"
    assert running.command("export", "jobs", "--name", "doc told").out == file.read_text()
    assert running.command("diff", "-f", str(file)).code == 0

    file.write_text(file.read_text().replace("Sundays", "Mondays"))
    different = running.command("diff", "-f", str(file))
    assert (different.code, "+  # Only on Mondays." in different.out) == (1, True)
    assert running.command("apply", "-f", str(file)).out == "job doc told changed\n"
    edited = running.command("edit", "job", "doc told", EDITOR="sed -i s/one/two/")
    assert edited.code == 0, edited
    expected = file.read_text().replace("one", "two")
    assert running.command("get", "job", "doc told", "-o", "yaml").out == expected
