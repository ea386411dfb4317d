"""Who may do what: everything that is not listed is denied."""

from enum import StrEnum


class Role(StrEnum):
    ADMIN = "admin"
    OPERATOR = "operator"
    VIEWER = "viewer"


class Permission(StrEnum):
    """What a route can ask for. `public` and `authenticated` are open to nobody's role in particular."""

    PUBLIC = "public"
    AUTHENTICATED = "authenticated"
    RUNS_READ = "runs:read"
    RUNS_START = "runs:start"
    RUNS_CANCEL = "runs:cancel"
    RUNS_RESOLVE = "runs:resolve"
    JOBS_READ = "jobs:read"
    JOBS_WRITE = "jobs:write"
    TARGETS_READ = "targets:read"
    TARGETS_WRITE = "targets:write"
    TARGETS_TEST = "targets:test"
    CREDENTIALS_READ = "credentials:read"
    CREDENTIALS_WRITE = "credentials:write"
    CREDENTIALS_USE = "credentials:use"
    """Choose one for a run, without reading or changing it."""
    ARTIFACTS_READ = "artifacts:read"
    ARTIFACTS_WRITE = "artifacts:write"
    DEADLETTERS_READ = "deadletters:read"
    DEADLETTERS_WRITE = "deadletters:write"
    FILTERS_SHARE = "filters:share"
    SYSTEM_READ = "system:read"
    USERS_READ = "users:read"
    USERS_WRITE = "users:write"
    AUDIT_READ = "audit:read"


_VIEWER = frozenset(
    {
        Permission.RUNS_READ,
        Permission.JOBS_READ,
        Permission.TARGETS_READ,
        Permission.ARTIFACTS_READ,
        Permission.SYSTEM_READ,
    }
)
_OPERATOR = _VIEWER | {
    Permission.RUNS_START,
    Permission.RUNS_CANCEL,
    Permission.RUNS_RESOLVE,
    Permission.TARGETS_TEST,
    Permission.CREDENTIALS_READ,
    Permission.CREDENTIALS_USE,
    Permission.ARTIFACTS_WRITE,
    Permission.DEADLETTERS_READ,
    Permission.FILTERS_SHARE,
}
_ADMIN = frozenset(Permission) - {Permission.PUBLIC, Permission.AUTHENTICATED}

GRANTS: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: _VIEWER,
    Role.OPERATOR: _OPERATOR,
    Role.ADMIN: _ADMIN,
}


def allows(role: Role, permission: Permission) -> bool:
    """Whether somebody who is signed in with `role` may do what needs `permission`."""
    return permission in (Permission.PUBLIC, Permission.AUTHENTICATED) or permission in GRANTS[role]
