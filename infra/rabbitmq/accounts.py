"""A broker's accounts, for a definitions file that a new node starts from."""

import base64
import hashlib
import hmac
from typing import Any

_SALT_BYTES = 4
_ALGORITHM = "rabbit_password_hashing_sha256"


def accounts(username: str, password: str, *, vhost: str = "/") -> dict[str, Any]:
    """One user with every permission in one virtual host, no administrator, and nobody else.

    A new node that starts from definitions makes no `guest` and no virtual host by itself.
    """
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    user = {
        "name": username,
        "password_hash": password_hash(password),
        "hashing_algorithm": _ALGORITHM,
        "tags": [],
    }
    return {
        "users": [user],
        "vhosts": [{"name": vhost}],
        "permissions": [{"user": username, "vhost": vhost} | everything],
    }


def password_hash(password: str) -> str:
    """The hash as RabbitMQ stores it: base64 of a salt of 4 bytes and SHA-256 of salt and password.

    The salt follows from the password, so that the same password always gives the same file. That is good for
    generated passwords, which nobody has twice.
    """
    secret = password.encode()
    salt = hmac.digest(secret, b"rabbitmq", "sha256")[:_SALT_BYTES]
    return base64.b64encode(salt + hashlib.sha256(salt + secret).digest()).decode()
