"""Causes of an HTTP request not going out, or not bringing what was asked for."""

from contracts.causes.model import Cause, Retry

CAUSES = (
    Cause(
        "egress_refused",
        Retry.NEVER,
        "This system may not talk to {host}: {detail}.",
        "Whoever runs this system names its own networks in OPS_EGRESS_ALLOW, in CIDR notation.",
    ),
    Cause(
        "url_invalid",
        Retry.NEVER,
        "The URL of the request cannot be used: {detail}.",
        "Write http:// or https://, a host, and no password; give a credential for that.",
    ),
    Cause(
        "tls_settings",
        Retry.NEVER,
        "The TLS settings for {host} cannot be used: {detail}.",
        "The CA bundle, client certificate and its key are PEM text; the key is not encrypted.",
    ),
    Cause(
        "redirect_refused",
        Retry.NEVER,
        "{host} redirected the request, which was not followed: {detail}.",
        "Give the final address as the URL of the step.",
    ),
    Cause(
        "response_too_large",
        Retry.NEVER,
        "The answer of {host} is too large: {detail}.",
        "Ask for less, or raise max_response_bytes of the step.",
    ),
    Cause(
        "response_unreadable",
        Retry.POLICY,
        "The answer of {host} cannot be read: {detail}.",
        "Its content does not match its Content-Encoding.",
    ),
    Cause(
        "http_status",
        Retry.POLICY,
        "{host} answered {detail}.",
        "The output holds the answer; `assert.status` says which ones the step expects.",
    ),
    Cause(
        "http_auth_rejected",
        Retry.NEVER,
        "{host} does not accept the credential of this step: it answered {detail}.",
        "Check the credential and what it may do there. Not tried again: repeated tries lock accounts.",
    ),
    Cause(
        "http_assertion",
        Retry.POLICY,
        "The answer of {host} is not as expected: {detail}.",
        "The output holds the answer; `assert` says what the step expects.",
    ),
    Cause(
        "http_output_missing",
        Retry.POLICY,
        "The answer of {host} does not hold what the step wants to keep: {detail}.",
        "The output holds the answer; compare it with the paths in `outputs`.",
    ),
    Cause(
        "credential_unfit",
        Retry.NEVER,
        "The credential of this step cannot be used for it: {detail}.",
        "An API key is sent as a header, user name and password as basic authentication.",
    ),
)
