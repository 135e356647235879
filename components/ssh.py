"""How this machine reaches a server and its Docker Engine. Pure."""

import shlex

USER = "ops"


def host(ssh_host: str) -> str:
    """Docker's address of the Engine behind the admin tunnel."""
    return f"ssh://{USER}@{ssh_host}"


def ssh_options(ssh_host: str, host_key: str) -> list[str]:
    """Options of the system's ssh: through Access, to the one host key that the program made.

    ``KnownHostsCommand`` hands the pinned key to ssh without a file, so nothing has to be kept beside the state.
    ``ControlMaster`` shares one connection, since every new one counts against sshd's MaxStartups.
    """
    settings = {
        "ProxyCommand": "cloudflared access ssh --hostname %h",
        "KnownHostsCommand": f"/bin/echo {ssh_host} {_key(host_key)}",
        "UserKnownHostsFile": "/dev/null",
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes",
        "PasswordAuthentication": "no",
        "BatchMode": "yes",
        "ConnectTimeout": "30",
        "ServerAliveInterval": "15",
        "ControlMaster": "auto",
        "ControlPath": "~/.ssh/zx-%C",
        "ControlPersist": "60",
    }
    return [part for key, value in settings.items() for part in ("-o", f"{key}={value}")]


def connection(ssh_host: str, host_key: str) -> list[str]:
    """The beginning of a command for a server: the line that it shall run there comes last."""
    return ["ssh", *ssh_options(ssh_host, host_key), f"{USER}@{ssh_host}"]


def shell(ssh_host: str, host_key: str, script: str) -> str:
    """A shell command that runs a script on a server. The script is no place for secrets: they go through stdin."""
    return shlex.join([*connection(ssh_host, host_key), script])


def ready_command(ssh_host: str, host_key: str, attempts: int = 90) -> str:
    """A shell command that succeeds once Docker answers behind the tunnel, and prints Docker's address of it.

    Ten seconds between attempts: a server boots, installs its packages and dials out in two to five minutes.
    """
    connect = shell(ssh_host, host_key, "docker version")
    answer = shlex.join(["printf", "%s", host(ssh_host)])
    return (
        f"for attempt in $(seq {attempts}); do {connect} >/dev/null 2>&1 && exec {answer}; sleep 10; done; "
        f"echo 'no answer from {ssh_host}: see docs/runbook.md, the server does not come up' >&2; exit 1"
    )


def _key(host_key: str) -> str:
    """Type and key without the comment. ssh splits the command itself and expands %, so neither may occur."""
    return " ".join(host_key.split()[:2])
