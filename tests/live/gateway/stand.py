"""A whole stand: gateway, connector and services, on loopback addresses of this process alone."""

import os
import random
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from components.gateway.render import Crowdsec, Values, files
from settings.gateway import Gateway
from settings.route import Route
from tests.live.gateway.backend import Backend
from tests.live.gateway.connector import HOST, OPERATOR, Connector
from tests.live.gateway.nginx import Nginx, arguments, folder_for_nobody, log_lines, wait_until, write
from topology.model import Upstream

ADMIN_HOST = "ops.example.com"
API_HOST = "api.example.com"
HOOKS_HOST = "hooks.example.com"
TEAM_HOST = "team.example.com"
CLOSED_HOST = "closed.example.com"
API_KEY = "0123456789abcdef0123456789"
Change = Callable[[dict[str, str]], dict[str, str]]
"""Spoils rendered files, for controls."""


def loopback(number: int, seed: int = os.getpid()) -> str:
    """One of 254 addresses that no other run of the tests on this machine is likely to use."""
    place = random.Random(seed)  # noqa: S311 - to avoid others, not to hide
    return f"127.{place.randint(16, 254)}.{place.randint(0, 254)}.{number}"


GATEWAY, CONNECTOR, STRANGER, CROWDSEC = (loopback(number) for number in (2, 3, 9, 5))
PORT, METRICS, BACKEND_PORT = 8080, 9145, 3000
API_PORT, SYSLOG_PORT = 8081, 5514
CROWDSEC_KEY = "gateway-key-of-this-test"
SERVICES = {"api": 11, "panel": 12}


def upstream(service: str, number: int, **route: Any) -> Upstream:
    """A route to a service at one of this stand's addresses."""
    settings = Route.model_validate({"host": HOST, **route})
    return Upstream(service, settings, (IPv4Address(loopback(number)),), BACKEND_PORT)


ROUTES = (
    upstream("api", 11),
    upstream("panel", 12, path="/admin", admin=True),
    upstream("ops", 12, host=ADMIN_HOST, admin=True),
    upstream("live", 11, path="/socket", websocket=True),
    upstream("live", 11, path="/events", streaming=True),
    upstream("live", 11, path="/upload", streaming=True, max_body="64m"),
    upstream("api", 11, path="/slow", rate=2, burst=1),
    upstream("api", 11, path="/few", connections=2),
    upstream("api", 11, path="/read", methods=["GET", "HEAD"], csp="default-src 'none'", sensitive=True),
    upstream("api", 11, path="/login", login=True),
    upstream("api", 11, host=API_HOST, path="/keyed", api_key="partner"),
    upstream("api", 11, host=API_HOST, path="/strict", require_headers=["X-Client"], forbid_headers=["X-Debug"]),
    upstream("api", 11, host=API_HOST, path="/own", errors="service"),
    upstream("api", 11, host=API_HOST, path="/status"),
    upstream("api", 11, host=HOOKS_HOST),
    upstream("api", 11, host=HOOKS_HOST, path="/hooks", methods=["GET", "POST"], api_key="partner"),
    upstream("api", 11, host=HOOKS_HOST, path="/hooks/open"),
    upstream("api", 11, host=TEAM_HOST),
    upstream("panel", 12, host=TEAM_HOST, path="/the.team"),
    upstream("api", 11, host=TEAM_HOST, path="/the.team/admin", admin=True),
    upstream("api", 11, host=TEAM_HOST, path="/the.team/admin/open"),
    upstream("panel", 12, host=TEAM_HOST, path="/Dots.", admin=True),
    upstream("panel", 12, host=CLOSED_HOST, admin=True),
    upstream("api", 11, host=CLOSED_HOST, path="/hooks"),
)


def values(folder: Path, **changes: Any) -> Values:
    """What a stack's plan would give, at this stand's addresses."""
    given = Values(
        listen=f"{GATEWAY}:{PORT}",
        metrics_listen=(f"{GATEWAY}:{METRICS}",),
        peer=CONNECTOR,
        edge=True,
        operators=(f"{OPERATOR}/32", "2001:db8:7::/48"),
        gateway=Gateway(workers=2, rate=100_000, burst=100_000, connections=1000),
        upstreams=ROUTES,
        secrets=str(folder / "secrets"),
        scratch=str(folder / "run"),
        log=str(folder / "access.log"),
    )
    return replace(given, **changes)


@dataclass
class Stand:
    """Everything that runs, and how to talk to it."""

    nginx: Nginx
    connector: Connector
    backends: dict[str, Backend]

    @property
    def log(self) -> list[dict[str, Any]]:
        """Log lines so far; nginx writes them within a second."""
        return log_lines(self.nginx.folder / "access.log")

    def metric(self, name: str) -> float:
        """The sum of a metric's samples whose name and labels begin so."""
        with urllib.request.urlopen(self.nginx.url.replace("/healthy", "/metrics"), timeout=10) as answer:  # noqa: S310 - our own
            lines = answer.read().decode().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))

    def logged(self, request_id: str) -> dict[str, Any]:
        """The log line of one request."""
        wait_until(lambda: any(line["id"] == request_id for line in self.log), f"no log line of {request_id}")
        return next(line for line in self.log if line["id"] == request_id)


def unchanged(files: dict[str, str]) -> dict[str, str]:
    """Rendered files as they are."""
    return files


def start_gateway(change: Change = unchanged, *, watched: bool = False, **changes: Any) -> Nginx:
    """nginx on the rendered files of ``values``. ``watched``: with CrowdSec behind."""
    folder = folder_for_nobody()
    if watched:
        key = str(folder / "secrets/crowdsec-key")
        changes["crowdsec"] = Crowdsec(CROWDSEC, API_PORT, f"{CROWDSEC}:{SYSLOG_PORT}", key)
    given = values(folder, **changes)
    secrets = {"secrets/api-key-partner": API_KEY, "secrets/crowdsec-key": CROWDSEC_KEY}
    write(folder, change(files(given)) | secrets)
    health = f"http://{given.metrics_listen[0]}/healthy"
    return Nginx(folder, health, arguments(folder), int(given.listen.rpartition(":")[2]))


def beside(number: int) -> dict[str, Any]:
    """Ports for a second gateway that runs at the same time."""
    return {"listen": f"{GATEWAY}:{PORT + number}", "metrics_listen": (f"{GATEWAY}:{METRICS + number}",)}


@contextmanager
def running(change: Change = unchanged, backends: dict[str, Backend] | None = None, **changes: Any) -> Iterator[Stand]:
    """A stand that is taken down at the end. A second one beside the first has ports of its own, and its services."""
    own = (
        {}
        if backends
        else {name: Backend(loopback(number), BACKEND_PORT, name).start() for name, number in SERVICES.items()}
    )
    try:
        nginx = start_gateway(change, **changes)
        try:
            yield Stand(nginx, Connector((GATEWAY, nginx.port), CONNECTOR), backends or own)
        finally:
            nginx.stop()
    finally:
        for backend in own.values():
            backend.stop()


PLAIN = """
daemon off; pid run/nginx.pid; error_log stderr; worker_processes 1;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path run/a; proxy_temp_path run/b; fastcgi_temp_path run/c;
    uwsgi_temp_path run/d; scgi_temp_path run/e;
    server {{ listen {address}:{port}; location / {{ return 200 "ok"; }} }}
}}
"""


@contextmanager
def plain_nginx(number: int) -> Iterator[int]:
    """An nginx that hides nothing, as a control; gives its port."""
    folder = folder_for_nobody()
    write(folder, {"gateway/nginx.conf": PLAIN.format(address=GATEWAY, port=PORT + number)})
    nginx = Nginx(folder, f"http://{GATEWAY}:{PORT + number}/", arguments(folder, ()), PORT + number)
    try:
        yield nginx.port
    finally:
        nginx.stop()
