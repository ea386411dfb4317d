"""Which steps need a session on their target, and how many it takes at once, as SQL both sides share."""

from contracts.jobs.steps import STEP_TYPES, StepSpec
from contracts.targets.specs import SshSettings, WinrmSettings

SSH_OF_WINDOWS = 1_000
"""Places for SSH on a Windows machine are numbered from the next one on; no `max_concurrent` is larger."""


def _types(protocol: str) -> str:
    """The step types that log in over `protocol`, as a list of SQL literals."""
    types = (str(kind.model_fields["type"].annotation) for kind in STEP_TYPES if kind.protocol == protocol)
    return ", ".join(name.removeprefix("typing.Literal[").removesuffix("]") for name in types)


def protocol(step_type: str, target: str) -> str:
    """`winrm`, `ssh`, or null for a step that does not log in.

    `step_type` is the expression of its type, `target` the alias of its row of `targets`.
    """
    return f"""CASE WHEN {step_type} IN ({_types("winrm")}) THEN 'winrm'
                    WHEN {step_type} IN ({_types("ssh")}) THEN 'ssh'
                    WHEN {step_type} IN ({_types("own")})
                    THEN CASE {target}.os WHEN 'windows' THEN 'winrm' ELSE 'ssh' END END"""


def protocol_of(step: StepSpec, os: str) -> str | None:
    """The same of a step on a target with this system."""
    if step.protocol == "own":
        return "winrm" if os == "windows" else "ssh"
    return step.protocol


def credential(said: str, parameters: str, target: str) -> str:
    """The id of the credential a step logs in with: the one it says, or its target's own.

    `said` is the expression of its `credential`, `parameters` that of the run's parameters, `target` the
    alias of its row of `targets`. Null where there is none of the name; what comes back may be archived.
    """
    parameter = f"{parameters} ->> btrim({said}, E'{{}} \\t\\n')"
    named = f"""SELECT named.id FROM credentials AS named
                 WHERE named.project_id = {target}.project_id AND named.name = {said}
                   AND named.archived_at IS NULL"""  # noqa: S608  (our own expressions)
    chosen = f"COALESCE(NULLIF({parameter}, '')::uuid, {target}.credential_id)"
    return f"""CASE WHEN {said} IS NULL THEN {target}.credential_id
                    WHEN {said} LIKE '{{{{%' THEN {chosen}
                    ELSE ({named}) END"""


def places(target: str, protocol: str) -> str:
    """`max_concurrent` over the protocol (an expression) of the row of `targets` called `target`.

    Settings are stored without defaults.
    """
    winrm, ssh = (kind.model_fields["max_concurrent"].default for kind in (WinrmSettings, SshSettings))
    return f"""CASE {protocol}
                    WHEN 'winrm' THEN COALESCE(({target}.winrm ->> 'max_concurrent')::int, {winrm})
                    WHEN 'ssh' THEN COALESCE(({target}.ssh ->> 'max_concurrent')::int, {ssh}) END"""


def before_places(target: str, protocol: str) -> str:
    """The number before the first place: two protocols to one machine do not share places."""
    return f"CASE WHEN {protocol} = 'ssh' AND {target}.os = 'windows' THEN {SSH_OF_WINDOWS} ELSE 0 END"
