"""`python -m infra.probe PORT [PATH]`: whether a process on this machine answers well. For health checks."""

import sys
from http.client import HTTPConnection, HTTPException

SECONDS = 4.0


def answers_well(port: int, path: str = "/readyz") -> tuple[bool, str]:
    """Whether `http://127.0.0.1:<port><path>` answers 200 within 4 s, and what it said."""
    connection = HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status == 200, answer.read(2_000).decode(errors="replace")  # noqa: PLR2004
    except (OSError, HTTPException) as error:
        return False, f"no answer on port {port}: {error}"
    finally:
        connection.close()


def main(arguments: list[str]) -> int:
    well, said = answers_well(int(arguments[0]), *arguments[1:2])
    sys.stdout.write(f"{said}\n")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
