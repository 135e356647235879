"""How cloudflared is started. Pure."""

TOKEN_FILE = "/run/secrets/tunnel-token"  # noqa: S105 - a path, not a token
METRICS_PORT = 20241


def command(gateway_url: str, quick_host: str | None) -> tuple[str, ...]:
    """Arguments of cloudflared. With ``quick_host`` it opens a quick tunnel, whose random host name it replaces by
    that one, since the gateway knows no other; without, it runs the tunnel of the token, which is read from a file
    so that no process list and no environment shows it."""
    # All addresses: the container's networks are its only neighbours, and monitoring is one of them.
    common = ("tunnel", "--no-autoupdate", "--metrics", f"0.0.0.0:{METRICS_PORT}")
    if quick_host is not None:
        return (*common, "--url", gateway_url, "--http-host-header", quick_host)
    return (*common, "run", "--token-file", TOKEN_FILE)
