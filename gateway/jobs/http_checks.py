"""What must hold for the placeholders of an `http.request` before it is saved."""

from collections.abc import Collection, Iterator

from contracts.binding import Refusal, check_header, check_json, check_raw, check_text, check_url
from contracts.jobs.steps import HttpRequest


def http_refusals(step: HttpRequest, declared: Collection[str]) -> Iterator[tuple[str, Refusal]]:
    """Every refused placeholder, with the path of its field inside the step."""
    for refusal in check_url(step.url, declared, with_credential=step.credential is not None):
        yield "url", refusal
    for name, text in step.headers.items():
        for refusal in check_header(text, declared):
            yield f"headers.{name}", refusal
    if isinstance(step.body, str):
        for refusal in check_raw(step.body, step.content_type, declared):
            yield "body", refusal
    else:
        yield from check_json(step.body, declared, "body")
    for field in ("query", "form"):
        yield from check_json(getattr(step, field), declared, field)
    for place, assertion in enumerate(step.expect.json_):
        yield from check_json(assertion.equals, declared, f"assert.json.{place}.equals")
    for refusal in check_text(step.expect.body_contains or "", declared):
        yield "assert.body_contains", refusal
