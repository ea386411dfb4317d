"""Help with not getting through to a machine."""

from contracts.causes.help.model import Help

HELP = {
    "name_unresolved": Help(
        "The host name is not known",
        "Before a connection can be made, the executor asks DNS for the address of the host. DNS knows no "
        "such name. What counts is the DNS of the machine the executor runs on, not that of your own "
        "machine.",
        (
            "Check the spelling of the host name, and whether the domain belongs to it.",
            "On the executor's machine, look the name up, for example with `getent hosts NAME`.",
            "Use an IP address, or an executor in a network that knows the name: give the target its pool.",
        ),
        ("target.hostname", "target.pool", "OPS_POOLS"),
    ),
    "unreachable": Help(
        "Nothing answers at this address",
        "The executor asked for a TCP connection and got none: the machine is down, nothing listens on the "
        "port, or a firewall in between drops the packets. Nothing has happened on the machine.",
        (
            "Is the machine up, and on this address?",
            "Windows: run `winrm quickconfig` there and allow 5986 (https) or 5985 (http) in its firewall.",
            "Linux: see that sshd runs, and on which port: `ss -ltn`.",
            "Check firewalls between the executor and the machine, or use an executor that stands closer.",
        ),
        ("target.hostname", "target.winrm.port", "target.ssh.port", "target.ssh.jump_host", "target.pool"),
    ),
    "no_answer_in_time": Help(
        "The machine took too long to answer",
        "A stage of the connection test was not over in its time. A connection was made or begun, and then "
        "nothing came back: an overloaded machine, or a firewall that lets connections in and swallows the "
        "rest.",
        (
            "Test again: a machine that has just started may need a minute.",
            "See how busy the machine is.",
            "Check whether a firewall or an inspecting proxy stands in between.",
        ),
    ),
    "tls_untrusted": Help(
        "The certificate is not trusted",
        "The machine showed a certificate that the executor cannot trust: it is self-signed, expired, made "
        "out for another name, or issued by an authority the executor does not know. Without trust nobody "
        "can say who is on the other end, so no password was sent.",
        (
            "Give the target the certificate of its authority (CA bundle).",
            "Or pin the certificate itself: the connection test shows its fingerprint. Compare it first.",
            (
                "An expired certificate has to be renewed on the machine; a wrong name needs the right "
                "hostname here."
            ),
            "Switch verification off only in a network nobody else is in.",
        ),
        ("target.winrm.ca_bundle", "target.winrm.fingerprint", "target.winrm.verify_tls", "step.tls"),
    ),
    "tls_protocol_mismatch": Help(
        "The port does not speak TLS",
        "The target is set to https, and what answers on this port is no TLS server. Usually the port is "
        "that of the plain listener.",
        (
            "Use port 5986, or leave the port out: it follows the scheme.",
            (
                "If the machine only has a plain listener, set the scheme to http: ntlm and kerberos encrypt "
                "there."
            ),
        ),
        ("target.winrm.scheme", "target.winrm.port"),
    ),
    "tls_required": Help(
        "The port speaks TLS only",
        "The target is set to http, and what answers on this port expects TLS.",
        ("Set the scheme to https.", "Or use the port of the plain listener, usually 5985."),
        ("target.winrm.scheme", "target.winrm.port"),
    ),
    "service_unavailable": Help(
        "The service takes no requests now",
        "Something answered and said that it cannot serve just now (HTTP 503): the WinRM service is "
        "starting, stopping or out of resources. Nothing has happened on the machine, so it is tried again "
        "by itself where the step allows retries.",
        (
            "Wait a moment and run it again.",
            "On the machine: `Get-Service WinRM`, and the event log Windows Remote Management.",
        ),
        ("step.retry",),
    ),
    "not_winrm": Help(
        "Something else than WinRM answers",
        "An HTTP server answered on this port, but not as WinRM does: another web server owns the port, or "
        "WinRM listens under another path.",
        (
            "On the machine: `winrm enumerate winrm/config/listener` tells its ports and paths.",
            "Correct port and path of the target.",
        ),
        ("target.winrm.port", "target.winrm.path"),
    ),
    "proxy_answered": Help(
        "A proxy answered instead of the machine",
        "The connection ended at a proxy, which answered by itself. The proxies of the executor's "
        "environment are never used; this one is named by the target, or stands in the network unasked.",
        (
            "Correct the target's proxy, or remove it.",
            "Let the network pass WinRM to this machine without a proxy.",
        ),
        ("target.winrm.proxy",),
    ),
    "not_ssh": Help(
        "Something else than SSH answers",
        "Something listens on this port, but it does not greet as an SSH server does.",
        ("SSH usually listens on 22: correct the port.", "On the machine: `ss -ltnp | grep sshd`."),
        ("target.ssh.port",),
    ),
    "host_key_unknown": Help(
        "The host key is not pinned yet",
        "An SSH server proves who it is by its host key. For this target none is stored, so nobody could "
        "tell the machine from one that only pretends to be it. No password was sent.",
        (
            "Run the connection test: it shows the key and its fingerprint, and can pin it.",
            "Compare first, on the machine: `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`.",
        ),
        ("target.ssh.host_key",),
    ),
    "host_key_mismatch": Help(
        "The machine shows another host key",
        "The pinned key is not the one the machine shows now. After a reinstallation that is normal. If "
        "nobody reinstalled it, another machine answers at this address, perhaps on purpose. No password "
        "was sent.",
        (
            "Find out whether the machine was reinstalled or the address given to another one.",
            "If so, run the connection test, compare the fingerprint, and pin the new key.",
            "If not, treat it as an attack: do not pin the key.",
        ),
        ("target.ssh.host_key",),
    ),
    "host_key_invalid": Help(
        "The pinned host key cannot be read",
        "What is stored as the target's host key is no SSH public key.",
        (
            "Store it as one line, such as `ssh-ed25519 AAAA…`; several keys one a line.",
            "Or let the connection test pin the key it sees.",
        ),
        ("target.ssh.host_key",),
    ),
    "ssh_algorithms": Help(
        "No SSH algorithm in common",
        "Executor and machine could not agree on how to encrypt. The server offers old algorithms only, or "
        "so few that none is left.",
        (
            "Update the SSH server of the machine.",
            "Or allow current algorithms in its sshd_config: KexAlgorithms, Ciphers, HostKeyAlgorithms.",
        ),
    ),
}
