"""Where data lives, and who may reach it there."""

import os
import pwd
import stat
from pathlib import Path

from infra.embedded.errors import DataFolderUnusable
from infra.embedded.process import Account

SERVICE_ACCOUNT = "opsconductor"
LEAST_ACCOUNT = "nobody"


def server_account(*folders: Path) -> Account | None:
    """Who runs a server that refuses root: None (ourselves) unless we are root.

    For root: the first owner among the folders that is not root, else account `opsconductor`, else `nobody`.
    """
    if os.geteuid() != 0:
        return None
    owners = [folder.stat().st_uid for folder in folders if folder.exists()]
    for uid in owners:
        if uid != 0:
            return _account(uid)
    for name in (SERVICE_ACCOUNT, LEAST_ACCOUNT):
        if name in {entry.pw_name for entry in pwd.getpwall()}:
            return _account(pwd.getpwnam(name).pw_uid)
    raise DataFolderUnusable(
        f"PostgreSQL refuses to run as root and there is no account to use instead. "
        f"Create one with `useradd --system {SERVICE_ACCOUNT}`, or start as an ordinary user."
    )


def _account(uid: int) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise DataFolderUnusable(
            f"The data folder belongs to user id {uid}, which has no account on this machine. "
            f"Give it to an existing user with `chown -R`, or set OPS_DATA_DIR to another folder."
        ) from None
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)


def require_enterable(folder: Path, account: Account) -> None:
    """Raise DataFolderUnusable naming the first folder on the way to `folder` that `account` cannot enter."""
    for step in reversed([folder, *folder.parents]):
        if not _may_enter(step.stat(), account):
            raise DataFolderUnusable(
                f"The embedded PostgreSQL runs as user {account.name} (PostgreSQL refuses root), who cannot "
                f"enter {step}, a part of {folder}. Set OPS_DATA_DIR to a folder of root's that others may "
                f"enter, such as /var/lib/opsconductor, or allow it with `chmod o+x {step}`."
            )


def _may_enter(folder: os.stat_result, account: Account) -> bool:
    if folder.st_uid == account.uid:
        return bool(folder.st_mode & stat.S_IXUSR)
    if folder.st_gid == account.gid:
        return bool(folder.st_mode & stat.S_IXGRP)
    return bool(folder.st_mode & stat.S_IXOTH)
