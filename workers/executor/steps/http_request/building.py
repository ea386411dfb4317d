"""From the step and its values to the request: pure."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import orjson

from contracts.binding import BindingRefused, ParameterValue, bind_header, bind_json, bind_raw, bind_url
from contracts.binding.values import text_of
from contracts.jobs.steps import HttpRequest
from infra.egress import Ask, Limits, Trust
from workers.executor.steps.base import OpenedCredential, StepFault

GRACE_SECONDS = 5.0
"""The step's own time-out comes first and says so."""


def request_of(
    step: HttpRequest, values: Mapping[str, ParameterValue], credential: OpenedCredential | None
) -> Ask:
    """Raises `StepFault` for values that cannot be bound and a credential that does not fit."""
    try:
        url = _with_query(bind_url(step.url, values), bind_json(step.query, values))
        headers = {name: bind_header(text, values) for name, text in step.headers.items()}
        body, content_type = _body(step, values)
    except BindingRefused as refused:
        raise StepFault("step_invalid", detail=str(refused)) from None
    if content_type is not None and step.content_type is None:
        headers["Content-Type"] = content_type
    certificate = _authenticate(step, headers, credential)
    return Ask(
        method=step.method,
        url=url,
        headers=headers,
        body=body,
        trust=Trust(
            verify=step.tls.verify,
            ca_bundle=step.tls.ca_bundle,
            fingerprint=step.tls.fingerprint,
            client_certificate=certificate,
        ),
        limits=Limits(
            connect=step.connect_timeout_sec,
            total=step.timeout_sec + GRACE_SECONDS,
            response=step.max_response_bytes,
        ),
        follow_redirects=step.follow_redirects,
        holds_secret=credential is not None,
    )


def _with_query(url: str, query: Mapping[str, Any]) -> str:
    if not query:
        return url
    head, mark, fragment = url.partition("#")
    joint = "&" if "?" in head else "?"
    return f"{head}{joint}{_encoded(query)}{mark}{fragment}"


def _encoded(fields: Mapping[str, Any]) -> str:
    """Lists become one field each."""
    pairs = [
        (name, text_of(one))
        for name, value in fields.items()
        for one in (value if isinstance(value, list | tuple) else [value])
    ]
    return urlencode(pairs)


def _body(step: HttpRequest, values: Mapping[str, ParameterValue]) -> tuple[bytes, str | None]:
    """The body and the content type that goes with it."""
    if step.form is not None:
        return _encoded(bind_json(step.form, values)).encode(), "application/x-www-form-urlencoded"
    if not step.has_body:
        return b"", None
    if isinstance(step.body, str):
        return bind_raw(step.body, step.content_type, values).encode(), "text/plain; charset=utf-8"
    return orjson.dumps(bind_json(step.body, values)), "application/json"


def _authenticate(
    step: HttpRequest, headers: dict[str, str], credential: OpenedCredential | None
) -> str | None:
    """Add the credential's header; the client certificate, if it is one. Raises `StepFault`."""
    if credential is None:
        return None
    secrets = credential.secrets
    name = step.credential_header or "Authorization"
    if any(name.lower() == header.lower() for header in headers):
        raise StepFault("credential_unfit", detail=f"the step sets the header {name} itself")
    if "token" in secrets:
        headers[name] = secrets["token"] if step.credential_header else f"Bearer {secrets['token']}"
    elif "password" in secrets and credential.username and step.credential_header is None:
        pair = f"{credential.username}:{secrets['password']}".encode()
        headers[name] = f"Basic {b64encode(pair).decode()}"
    elif "certificate" in secrets and "private_key" in secrets:
        return f"{secrets['certificate']}\n{secrets['private_key']}"
    else:
        raise StepFault("credential_unfit", detail=f"it is of type {credential.type}")
    if any(ord(character) < ord(" ") for character in headers[name]):
        raise StepFault("credential_unfit", detail="it holds a line break or control character")
    return None
