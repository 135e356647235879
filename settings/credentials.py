"""API tokens of the clouds. They are the providers' own configuration, not part of the stack file's namespace."""

from collections.abc import Mapping

TOKENS = (("hcloud:token", "HCLOUD_TOKEN"), ("cloudflare:apiToken", "CLOUDFLARE_API_TOKEN"))
"""Configuration key and environment variable of each token."""


def missing_tokens(values: Mapping[str, str], environment: Mapping[str, str]) -> list[str]:
    """One line for each token that is set neither in the configuration nor in the environment.

    Cloudflare's provider would otherwise start and fail half-way, with servers made and no way to reach them.
    """
    return [
        f"  {key}: needed: pulumi config set --secret {key}, or {variable} in the environment"
        for key, variable in TOKENS
        if not values.get(key) and not environment.get(variable)
    ]
