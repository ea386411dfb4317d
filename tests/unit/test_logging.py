"""Structured logs with no secret in any of them."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from infra.logging import HIDDEN, configure_logging, scrub, scrub_text


@pytest.fixture
def logs() -> Iterator[Any]:
    """The lines logged so far, parsed."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logging(service="test", log_format="json")
    [handler] = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    written = io.StringIO()
    handler.setStream(written)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer {}",
        "postgresql://ops:{}@db/ops",
        "amqp://ops:a@{}@mq/",
        "password={} user=x",
        '{{"passphrase": "{}"}}',
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----",
        "-----BEGIN OPENSSH PRIVATE KEY-----\n{}",
    ],
)
def test_what_looks_like_a_secret_is_not_shown(text: str) -> None:
    shown = scrub_text(text.format("hidden-7301"))

    assert "hidden-7301" not in shown
    assert HIDDEN in shown


@given(
    name=st.sampled_from(["password", "client_secret", "access_token", "privateKey", "api-key", "Cookie"]),
    value=st.text(min_size=1) | st.integers() | st.lists(st.text(min_size=1), min_size=1),
)
def test_a_field_named_like_a_secret_is_hidden_however_deep(name: str, value: object) -> None:
    assert scrub({"a": [{"b": ({name: value},)}]}) == {"a": [{"b": [{name: HIDDEN}]}]}


@given(
    st.dictionaries(st.sampled_from(["run_id", "count", "pool"]), st.integers() | st.booleans() | st.none())
)
def test_everything_else_is_left_as_it_is(fields: dict[str, object]) -> None:
    assert scrub(fields) == fields


class Holder:
    def __repr__(self) -> str:
        return "Holder(password=hidden-7301)"


def test_objects_and_bytes_are_scrubbed_too() -> None:
    assert "hidden-7301" not in str(scrub([Holder(), b"token=hidden-7301", {"password=hidden-7301"}]))


def test_a_log_line_is_json_with_its_exception_and_without_its_secret(logs: Any) -> None:
    log = structlog.get_logger()
    error = ConnectionError("cannot reach postgresql://ops:hidden-7301@db")
    log.error("database.failed", exc_info=error, password="hidden-7301", holder=Holder(), run_id=7)

    [line] = logs()
    assert (line["event"], line["service"], line["level"], line["run_id"]) == (
        "database.failed",
        "test",
        "error",
        7,
    )
    assert "ConnectionError" in line["exception"]
    assert "hidden-7301" not in json.dumps(line)


def test_the_standard_librarys_logs_take_the_same_way(logs: Any) -> None:
    logging.getLogger("some.library").warning("login with %s", "password=hidden-7301")

    [line] = logs()
    assert line["event"] == f"login with password={HIDDEN}"
