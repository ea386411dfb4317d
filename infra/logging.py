"""Structured logs: one JSON line per event, and no secret in any of them."""

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, Literal

import structlog
from structlog.typing import EventDict, WrappedLogger

HIDDEN = "•••"
OUR_PACKAGES = ("infra", "gateway", "workers", "cli", "__main__")
"""Whose lines are logged from the configured level on; of libraries, warnings."""
_SECRET_NAME = re.compile(
    r"(pass(word|phrase)?|secret|token|private[_-]?key|authorization|cookie|api[_-]?key|ticket)s?$",
    re.IGNORECASE,
)
_SECRET_TEXT = (
    re.compile(r"(?P<keep>\b(?:Bearer|Basic|NTLM|Negotiate)\s+)[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE),
    re.compile(r"(?P<keep>[a-z+]+://[^\s:/@]*:)[^\s/]+(?=@)", re.IGNORECASE),
    re.compile(
        r"(?P<keep>)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.S
    ),
    re.compile(r"(?P<keep>\b(?:password|passphrase|secret|token)[\"']?\s*[=:]\s*[\"']?)[^\s\"',;&}]+", re.I),
)


def scrub_text(text: str) -> str:
    """`text` without what looks like a secret in it."""
    for pattern in _SECRET_TEXT:
        text = pattern.sub(lambda match: match["keep"] + HIDDEN, text)
    return text


def scrub(value: Any) -> Any:
    """`value` with secret-looking fields and texts hidden, however deep they lie."""
    if isinstance(value, str):
        return scrub_text(value)
    if isinstance(value, Mapping):
        return {key: HIDDEN if _SECRET_NAME.search(str(key)) else scrub(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [scrub(item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return scrub_text(value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value))


def _scrubber(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    own = {key: event.pop(key) for key in ("_record", "_from_structlog") if key in event}
    return {**scrub(event), **own}  # structlog's own two come back as they are: it works with them


def configure_logging(*, service: str, log_format: Literal["json", "console"], level: str = "info") -> None:
    """Send structlog and the standard library's logging through one scrubbed pipeline to stderr."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
        structlog.processors.format_exc_info,
        _scrubber,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for package in OUR_PACKAGES:
        logging.getLogger(package).setLevel(level.upper())
    structlog.contextvars.bind_contextvars(service=service)
