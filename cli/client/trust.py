"""Which certificates a server is believed by: those of the system, or those in a file of one's own."""

import ssl
from pathlib import Path

from cli.client.problems import CliError


def trust(ca_file: str | None) -> ssl.SSLContext | bool:
    """What a connection is to be verified with; raises `CliError` for a file that holds no certificate."""
    if ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ValueError) as error:  # an SSLError is an OSError
        reason = "it holds no certificate" if isinstance(error, ssl.SSLError) else error
        raise CliError(
            f"The certificates in {ca_file} cannot be used ({reason}).",
            hints=("It is to be a file in PEM; see --ca-file of `opsconductor login`, and OPS_CA_FILE.",),
        ) from error


def absolute(ca_file: str) -> str:
    """As it is kept: a session is used from any folder."""
    return str(Path(ca_file).expanduser().absolute())
