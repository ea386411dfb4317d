"""What a job may say about steps over SSH, before it is saved."""

from typing import Any

import pytest

from contracts.errors import Invalid
from contracts.jobs.steps import SshExec, SudoAs
from gateway.jobs.checks import check_definition


def problems(step: dict[str, Any]) -> list[tuple[str, str]]:
    parameters = {"text": {"type": "string"}, "token": {"type": "secret"}}
    try:
        check_definition({"name": "job", "parameters": parameters, "steps": [step]})
    except Invalid as refused:
        return [(problem.field, problem.reason) for problem in refused.problems]
    return []


@pytest.mark.parametrize("shell", ["zsh", "ksh", "python3", "perl"])
def test_only_shells_with_known_rules_take_placeholders(shell: str) -> None:
    [(field, reason)] = problems({"type": "ssh.exec", "shell": shell, "command": "print('{{ text }}')"})

    assert field == "steps.0.command"
    assert "no placeholders" in reason
    assert problems({"type": "ssh.exec", "shell": shell, "command": "1", "env": {"T": "{{ text }}"}}) == []


def test_secret_arguments_are_refused_with_their_place() -> None:
    step = {"type": "ssh.script", "content_base64": "", "arguments": ["{{ text }}", "{{ token }}"]}

    [(field, reason)] = problems(step)

    assert field == "steps.0.arguments.1"
    assert "process list" in reason


@pytest.mark.parametrize(
    ("said", "meant"), [(True, SudoAs(user="root")), (False, None), ({"user": "app"}, SudoAs(user="app"))]
)
def test_sudo_is_root_unless_somebody_else_is_named(said: object, meant: SudoAs | None) -> None:
    assert SshExec.model_validate({"type": "ssh.exec", "command": "id", "sudo": said}).sudo == meant


@pytest.mark.parametrize("user", ["-u", "a b", "root;id", ""])
def test_a_user_for_sudo_cannot_be_anything_but_a_name(user: str) -> None:
    with pytest.raises(ValueError, match="user"):
        SshExec.model_validate({"type": "ssh.exec", "command": "id", "sudo": {"user": user}})
