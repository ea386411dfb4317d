"""Help with HTTP requests."""

from contracts.causes.help.model import Help

HELP = {
    "egress_refused": Help(
        "This system may not talk to that address",
        "Requests go to public addresses only. Private networks, the machine itself and the addresses of "
        "cloud metadata are closed, so that nobody can use a job to look into them.",
        (
            "Whoever runs this system can open a network for requests, in CIDR notation such as 10.1.0.0/16.",
            "Check that the name resolves to the address you mean.",
        ),
        ("OPS_EGRESS_ALLOW", "step.url", "step.host"),
    ),
    "url_invalid": Help(
        "The URL cannot be used",
        "It is not a complete http or https address, or a password stands in it.",
        ("Write the scheme, the host and the path.", "Give user and password as a credential instead."),
        ("step.url", "step.credential"),
    ),
    "tls_settings": Help(
        "The TLS settings cannot be used",
        "The CA bundle, the client certificate or its key is not PEM text that can be read.",
        ("Paste the whole PEM text, from BEGIN to END.", "The key must not be encrypted."),
        ("step.tls", "step.credential"),
    ),
    "redirect_refused": Help(
        "The redirect was not followed",
        "The server answered with another address. Redirects are followed only where the step says so, and "
        "never to another host with a credential.",
        ("Write the final address as the URL.", "Or set follow_redirects, if you trust where it leads."),
        ("step.follow_redirects", "step.url"),
    ),
    "response_too_large": Help(
        "The answer is too large",
        "The answer is longer than the step takes in, so reading it was stopped.",
        ("Ask for less, by a filter or a page.", "Or raise the limit of the step."),
        ("step.max_response_bytes",),
    ),
    "response_unreadable": Help(
        "The answer cannot be read",
        "The answer says that it is packed in a way that its content does not match.",
        ("See what the server sends with `curl -v --compressed`.",),
    ),
    "http_status": Help(
        "The server answered with another status",
        "The server was reached and answered, but not with a status that the step expects. Without a word "
        "about it, that is any from 200 to 299.",
        (
            "The output holds the answer: read what it says.",
            "If the status is fine, list it in assert.status.",
        ),
        ("step.assert",),
    ),
    "http_auth_rejected": Help(
        "The service does not accept the credential",
        "The request was sent with a credential and answered with 401 or 403. It is not tried again, because "
        "repeated tries lock accounts.",
        (
            "Check whether token or password is right and has not expired; rotate the credential if not.",
            "Check what it may do there.",
            "An API key may belong into a header of its own: credential_header.",
        ),
        ("step.credential", "step.credential_header"),
    ),
    "http_assertion": Help(
        "The answer is not as expected",
        "The status was right, but something that the step asserts about the content does not hold.",
        ("The output holds the answer: compare it with `assert`.",),
        ("step.assert",),
    ),
    "http_output_missing": Help(
        "The answer lacks a value to keep",
        "The step keeps values of the answer under names, by their paths, and nothing stands at one of them.",
        ("The output holds the answer: correct the path in `outputs`.",),
        ("step.outputs",),
    ),
    "credential_unfit": Help(
        "The credential does not fit the step",
        "The step cannot use this credential: it is of a type that cannot be sent that way, it was removed, "
        "or the step sets the same header itself. The target's own credential is never used in its place.",
        (
            "Choose another credential, or create it anew.",
            "An API key goes as a header, user name and password as basic authentication.",
        ),
        ("step.credential", "step.credential_header", "step.headers"),
    ),
}
