"""`python -m workers ROLE…`: one process with any set of worker roles."""

import sys
from collections.abc import Callable, Sequence
from importlib import import_module

import uvloop

from contracts.errors import UnsafeSettings
from infra.collecting import spare_what_stays
from infra.logging import configure_logging
from infra.process import Process
from infra.settings import Role, load_settings

ROLES = (Role.ORCHESTRATOR, Role.EXECUTOR, Role.CARETAKER)


def installer(role: Role) -> Callable[[Process], None]:
    """What a role brings, imported only now so that a process loads no more than it hosts."""
    install: Callable[[Process], None] = import_module(f"workers.{role}.role").install
    return install


async def host(roles: Sequence[Role]) -> None:
    """Run these roles until told to stop; raises `UnsafeSettings` before anything is started."""
    settings = load_settings(*roles)
    name = "+".join(roles)
    configure_logging(service=name, log_format=settings.log_format, level=settings.log_level)
    process = Process(settings, name=name)
    for role in roles:
        installer(role)(process)
    process.before_consuming(spare_what_stays)
    await process.run()


def main(arguments: Sequence[str]) -> int:
    """Exit code 0 after a clean stop, 2 for unknown roles or unusable settings."""
    words = list(dict.fromkeys(arguments)) or [role.value for role in ROLES]
    unknown = [word for word in words if word not in {role.value for role in ROLES}]
    if unknown:
        known = ", ".join(role.value for role in ROLES)
        sys.stderr.write(f"There is no worker role {', '.join(unknown)}; the roles are {known}.\n")
        return 2
    try:
        uvloop.run(host([Role(word) for word in words]))
    except UnsafeSettings as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
