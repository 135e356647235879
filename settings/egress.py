"""Settings of the egress proxy."""

from settings.image import own_image
from settings.values import Image, Model


class Egress(Model):
    """The way out of services that name domains under ``egress``."""

    image: Image = own_image("egress-proxy", "squid with OpenSSL: it has to read names in TLS greetings.")


NOT_PUBLIC = frozenset({"arpa", "example", "internal", "invalid", "local", "localhost", "onion", "test"})
"""Top-level domains that the internet does not have (RFC 6761, 7686 and ICANN's reservation of `internal`)."""
SHARED = frozenset(
    """
    amazonaws.com appspot.com azureedge.net azurewebsites.net cloudapp.net cloudfront.net cloudfunctions.net
    digitaloceanspaces.com firebaseapp.com fly.dev github.io gitlab.io googleapis.com googleusercontent.com
    herokuapp.com netlify.app ngrok.app ngrok.dev ngrok.io ngrok-free.app onrender.com pages.dev r2.dev run.app
    s3.amazonaws.com trycloudflare.com vercel.app web.app windows.net workers.dev
    """.split()  # noqa: SIM905 - a list of one name a line is longer than a screen
)
"""Domains below which anyone gets a name: a wildcard over one is a way out to everyone. Not complete."""
SECOND_LEVEL = frozenset({"ac", "co", "com", "edu", "go", "gob", "gov", "net", "ne", "or", "org"})
"""What registries of countries sell names below: co.uk, com.au."""


def problem(pattern: str, others: tuple[str, ...]) -> str | None:
    """Why a service may not declare a domain, beside the other domains that it declares."""
    base = pattern.removeprefix("*.")
    labels = base.split(".")
    if labels[-1] in NOT_PUBLIC:
        return f"{pattern}: the internet has no .{labels[-1]}; services are reached by `uses`"
    if pattern != base and (base in SHARED or (len(labels) == 2 and len(labels[1]) == 2 and labels[0] in SECOND_LEVEL)):
        return f"{pattern}: anyone can get a name below {base}; write the names that are called"
    covering = [other for other in others if other != pattern and other.startswith("*.") and base.endswith(other[1:])]
    return f"{pattern}: {covering[0]} has it already" if covering else None
