"""What is known to go wrong with WinRM, and what becomes of it here.

A line each: what is seen on the wire, the causes it may end in, whether it mends itself first, and tests that
show it besides those marked with the cause.
"""

from dataclasses import dataclass

CATALOGUE = "tests/executors/test_winrm_catalogue.py"
TOLD = f"{CATALOGUE}::test_what_goes_wrong_is_told_in_words_a_person_can_act_on"
MENDED = f"{CATALOGUE}::test_what_passes_by_itself_is_waited_for_and_the_script_runs_once"
KERBEROS = f"{CATALOGUE}::test_kerberos_says_what_is_missing"
REACHING = "tests/executors/test_winrm_reaching.py"
STAGES = "tests/executors/test_connection_test_winrm.py"


@dataclass(frozen=True, slots=True)
class Trouble:
    """`mends`: waited for, repeated or begun anew. The causes are for when that does not help."""

    seen: str
    causes: tuple[str, ...] = ()
    mends: bool = False
    shown_by: tuple[str, ...] = ()


TROUBLES = (
    Trouble("the port refuses the connection", ("unreachable",), shown_by=(TOLD,)),
    Trouble(
        "no answer to the connection, or no route",
        ("unreachable",),
        shown_by=(f"{REACHING}::test_a_host_that_accepts_and_stays_silent_is_unreachable",),
    ),
    Trouble("the name does not resolve", ("name_unresolved",), shown_by=(TOLD,)),
    Trouble("a proxy answers (407, 502), or is not there", ("proxy_answered",), shown_by=(TOLD,)),
    Trouble(
        "a certificate that is self-signed, over, or for another name",
        ("tls_untrusted",),
        shown_by=(
            TOLD,
            f"{STAGES}::test_self_signed_expired_misnamed_and_changed_certificates_are_told_apart",
        ),
    ),
    Trouble("TLS spoken to the plain port", ("tls_protocol_mismatch",), shown_by=(TOLD,)),
    Trouble("plain HTTP spoken to the TLS port", ("tls_required",), shown_by=(TOLD,)),
    Trouble("401, and the chosen login is not on offer", ("auth_unsupported",), shown_by=(TOLD,)),
    Trouble("401, though the login is on offer", ("auth_rejected",), shown_by=(TOLD,)),
    Trouble(
        "a local administrator without the right of one when coming from afar",
        ("access_denied",),
        shown_by=(TOLD,),
    ),
    Trouble("401 because the login is bound to another TLS channel", ("auth_rejected",), shown_by=(TOLD,)),
    Trouble("500 without a word on plain HTTP", ("encryption_required",), shown_by=(TOLD,)),
    Trouble(
        "400 in the middle: the security context was lost",
        ("connection_lost",),
        mends=True,
        shown_by=(MENDED, TOLD),
    ),
    Trouble("404", ("not_winrm",), shown_by=(TOLD,)),
    Trouble(
        "413, or a fault that says too large",
        ("message_too_large",),
        mends=True,
        shown_by=(
            "tests/executors/test_winrm_copy.py::test_a_host_that_takes_only_small_messages_gets_small_ones",
        ),
    ),
    Trouble("503", ("service_unavailable",), mends=True, shown_by=(MENDED, TOLD)),
    Trouble("an answer that is no SOAP", ("not_winrm",), shown_by=(TOLD,)),
    Trouble("known, and not allowed to use WinRM", ("access_denied",), shown_by=(TOLD,)),
    Trouble("too many shells of one user", ("quota",), mends=True, shown_by=(MENDED, TOLD)),
    Trouble("too many operations of one user", ("quota",), mends=True, shown_by=(MENDED, TOLD)),
    Trouble("too many users", ("quota",), mends=True, shown_by=(MENDED, TOLD)),
    Trouble("too many commands in one shell", ("quota",), mends=True, shown_by=(MENDED, TOLD)),
    Trouble("an operation that timed out, on Receive or on Send", mends=True, shown_by=(MENDED,)),
    Trouble("the shell or the command is no longer known", ("shell_vanished",), shown_by=(TOLD,)),
    Trouble("aborted while it ran", ("shell_vanished",), shown_by=(TOLD,)),
    Trouble("the pipe is busy, or has ended, on Send", mends=True, shown_by=(MENDED,)),
    Trouble("the command line is too long", ("command_line_too_long",), shown_by=(TOLD,)),
    Trouble("the file to run is not there", ("program_not_found",), shown_by=(TOLD,)),
    Trouble("out of memory, or the paging file too small", ("memory_quota",), shown_by=(TOLD,)),
    Trouble("Kerberos knows no such server", ("kerberos_failed",), shown_by=(KERBEROS,)),
    Trouble("clocks differ, no KDC, no ticket", ("kerberos_failed",), shown_by=(KERBEROS,)),
    Trouble("a package for the login is missing", ("transport_not_installed",)),
    Trouble(
        "access denied on a share or in the directory",
        ("double_hop",),
        shown_by=(TOLD, f"{CATALOGUE}::test_a_second_hop_to_the_directory_is_recognised_too"),
    ),
    Trouble("scripts are disabled by policy", ("scripts_disabled",), shown_by=(TOLD,)),
)
