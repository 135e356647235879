"""The clouds' APIs, read by plain HTTP. Only ``delete`` changes anything."""

import os
from dataclasses import dataclass
from typing import Any

import requests

SECONDS = 20
HETZNER, CLOUDFLARE = "https://api.hetzner.cloud/v1", "https://api.cloudflare.com/client/v4"


@dataclass(frozen=True)
class Answer:
    """Status 0 where there was no answer; ``body`` then says why."""

    status: int
    body: dict[str, Any]

    @property
    def refused(self) -> bool:
        """The token is not right, or may not do this."""
        return self.status in {401, 403}

    @property
    def code(self) -> str:
        """Hetzner's error code, or Cloudflare's first one."""
        if isinstance(self.body.get("error"), dict):
            return str(self.body["error"].get("code", ""))
        errors = self.body.get("errors") or [{}]
        return str(errors[0].get("code", ""))

    @property
    def said(self) -> str:
        """The status and what the API said, for a person."""
        return f"HTTP {self.status} {self.code}".strip() if self.status else str(self.body["failure"])


@dataclass(frozen=True)
class Api:
    """One API with a token. ``base`` has no slash at its end."""

    base: str
    token: str

    def get(self, path: str) -> Answer:
        """Read a path, which begins with a slash."""
        return self._call("GET", path)

    def post_nothing(self, path: str) -> Answer:
        """Ask for something to be made of an empty body: refused either way, and the refusal says by what."""
        return self._call("POST", path, json={})

    def delete(self, path: str) -> Answer:
        """Delete what is at a path."""
        return self._call("DELETE", path)

    def _call(self, method: str, path: str, **options: Any) -> Answer:  # noqa: ANN401 - passed on as they are
        headers = {"Authorization": f"Bearer {self.token}"}
        try:
            done = requests.request(method, f"{self.base}{path}", headers=headers, timeout=SECONDS, **options)
        except requests.RequestException as error:
            return Answer(0, {"failure": f"no answer ({type(error).__name__})"})
        try:
            body = done.json()
        except requests.JSONDecodeError:
            body = {}
        return Answer(done.status_code, body if isinstance(body, dict) else {})


def hetzner(token: str) -> Api:
    """At the address that the provider uses too."""
    return Api(os.environ.get("HCLOUD_ENDPOINT", HETZNER).rstrip("/"), token)


def cloudflare(token: str) -> Api:
    """At the address that the provider uses too."""
    return Api(os.environ.get("CLOUDFLARE_BASE_URL", CLOUDFLARE).rstrip("/"), token)
