"""API tokens of the clouds. They are the providers' own configuration, not part of the stack file's namespace."""

from collections.abc import Mapping

from settings.load import SettingsError

TOKENS = (("hcloud:token", "HCLOUD_TOKEN"), ("cloudflare:apiToken", "CLOUDFLARE_API_TOKEN"))
"""Configuration key and environment variable of each token."""


def missing_tokens(values: Mapping[str, str], environment: Mapping[str, str]) -> list[str]:
    """One line for each token that is set neither in the configuration nor in the environment."""
    return [
        f"  {key}: needed: pulumi config set --secret {key}, or {variable} in the environment"
        for key, variable in TOKENS
        if not values.get(key) and not environment.get(variable)
    ]


def check_tokens(values: Mapping[str, str], environment: Mapping[str, str]) -> None:
    """Raises ``SettingsError`` where a token is missing.

    Without this Cloudflare's provider would start and fail half-way, with a server made and no way to reach it.
    """
    missing = missing_tokens(values, environment)
    if missing:
        raise SettingsError("\n".join(["A token is missing, so nothing was done:", *missing]))
