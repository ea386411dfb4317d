"""Causes of not getting through to a machine."""

from contracts.causes.model import Cause, Retry

CAUSES = (
    Cause(
        "name_unresolved",
        Retry.NEVER,
        "The host name {host} does not resolve from this worker.",
        "Check the spelling, or use an address this worker's DNS knows.",
    ),
    Cause(
        "unreachable",
        Retry.SAFE,
        "Nothing answers on {host}:{port} ({detail}).",
        "Host down, firewall, or wrong port. Windows: run `winrm quickconfig`; Linux: is sshd running?",
    ),
    Cause(
        "no_answer_in_time",
        Retry.SAFE,
        "{host} took longer than {detail} s over this stage of the test.",
        "The machine is overloaded, or a firewall lets connections in and then swallows them.",
    ),
    Cause(
        "tls_untrusted",
        Retry.NEVER,
        "The certificate of {host}:{port} is not trusted: {detail}.",
        "Add its CA to the target, pin its fingerprint, or set verify_tls to false knowingly.",
    ),
    Cause(
        "tls_protocol_mismatch",
        Retry.NEVER,
        "{host}:{port} does not speak TLS.",
        "Plain WinRM usually listens on 5985 with scheme http, TLS on 5986 with scheme https.",
    ),
    Cause(
        "tls_required",
        Retry.NEVER,
        "{host}:{port} speaks TLS, not plain HTTP.",
        "Set the target's scheme to https, or use the port of its http listener, usually 5985.",
    ),
    Cause(
        "service_unavailable",
        Retry.SAFE,
        "The service on {host}:{port} takes no requests now ({detail}).",
        "It is starting or overloaded; on Windows see the WinRM service and its event log.",
    ),
    Cause(
        "not_winrm",
        Retry.NEVER,
        "{host}:{port} answered, but not as WinRM does ({detail}).",
        "Another web server may own the port, or the WinRM URL prefix was changed.",
    ),
    Cause(
        "proxy_answered",
        Retry.NEVER,
        "Not {host}:{port} but a proxy on the way answered ({detail}).",
        "Proxies of the worker's environment are not used: correct or remove the target's proxy, or let the "
        "network pass WinRM through.",
    ),
    Cause(
        "not_ssh",
        Retry.NEVER,
        "{host}:{port} answered, but not as SSH does ({detail}).",
        "Check the port: SSH usually listens on 22.",
    ),
    Cause(
        "host_key_unknown",
        Retry.NEVER,
        "The SSH host key of {host} is not pinned yet.",
        "Compare the fingerprint {detail} with the host's own and store it as ssh.host_key.",
    ),
    Cause(
        "host_key_mismatch",
        Retry.NEVER,
        "{host} shows another SSH host key than the pinned one ({detail}).",
        "If the host was reinstalled, pin the new key; otherwise somebody may stand in between.",
    ),
    Cause(
        "host_key_invalid",
        Retry.NEVER,
        "The SSH host key pinned for {host} cannot be read: {detail}.",
        "Store it as ssh.host_key in OpenSSH form: `ssh-ed25519 AAAA…`, several one a line.",
    ),
    Cause(
        "ssh_algorithms",
        Retry.NEVER,
        "{host}:{port} and this worker have no SSH algorithms in common ({detail}).",
        "The SSH server is too old or too restricted; enable current algorithms on it.",
    ),
)
