"""A stack as it should be seen from outside: both APIs, the edge, and names, until a test spoils one of them."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from socket import create_connection, socket
from typing import Any

from components.gateway.render import SECURITY_HEADERS
from ops.audit import gather, scan
from ops.audit.cloud import Address
from ops.audit.live import Live
from ops.audit.scan import OutOfScopeError, Protocol, Scan
from ops.audit.web import Answer, Web
from ops.doctor.api import Api
from ops.preview.record import Recording
from tests.live.certificates import Certificate
from tests.ops.doctor.clouds import Answers, serving
from topology.plan import plan

ROOT, STACK = Path(__file__).parents[3], "dev"
API, ADMIN, SSH = "api.example.org", "dashboard.example.org", "ssh-dev.example.org"
ACCOUNT, ZONE = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"
ORIGIN4, ORIGIN6 = "198.51.100.7", "2001:db8:7::1"
EDGE4, EDGE6 = "104.16.0.1", "2606:4700::1"
STRANGER = "192.88.99.7"
TUNNELS = {"admin": "11111111-1111-4111-8111-111111111111", "app": "22222222-2222-4222-8222-222222222222"}
OUTPUTS = {"serverId": "42", "sshHost": SSH, "hostKey": "ssh-ed25519 AAAA", "urls": [f"https://{API}"],
           **{f"{role}TunnelId": identity for role, identity in TUNNELS.items()}}  # fmt: skip
PAGE = "<h1>Sorry, you have been blocked</h1> {host} {ray}"
Site = Callable[[str, str, bool], Answer]
"""Host, path and whether it came by plain HTTP → answer."""


@cache
def program() -> Recording:
    """The dev stack's graph."""
    return gather.program(ROOT, STACK)


def site(host: str, path: str, plain: bool) -> Answer:
    """The edge with the gateway behind it, as a stranger meets them."""
    edge = {"server": "cloudflare", "cf-ray": "8f0000000000000-FRA"}
    if path == "/cdn-cgi/trace":
        return Answer(200, edge, f"fl=1\nip={STRANGER}\nts=1\n")
    if plain:
        return Answer(301, {**edge, "location": f"https://{host}{path}"})
    if host != API:
        return Answer(403, edge, PAGE.format(host=host, ray="8f0000000000000"))
    headers = {name.lower(): value.replace("$csp", "default-src 'none'") for name, value in SECURITY_HEADERS.items()}
    return Answer(404, {**headers, **edge}, '{"error":"not found"}')


def answers() -> Answers:
    """What both APIs say of a stack as it should be."""
    account = f"GET /accounts/{ACCOUNT}"
    tunnels: Answers = {}
    for role, identity in TUNNELS.items():
        path = f"{account}/cfd_tunnel/{identity}"
        tunnels[path] = (200, {"result": {"status": "healthy", "config_src": "cloudflare"}})
        tunnels[f"{path}/connections"] = (200, {"result": [{"id": "c", "conns": [{}] * 4}]})
        tunnels[f"{path}/configurations"] = (200, {"result": {"config": {"ingress": _ingress(role)}}})
    access = [
        {"domain": host, "policies": [{"decision": "allow", "include": [{"email": {}}]}]} for host in (SSH, ADMIN)
    ]
    alert = {
        "alert_type": "tunnel_health_event",
        "enabled": True,
        "mechanisms": {"email": [{"id": "alice@example.org"}]},
        "filters": {"tunnel_id": list(TUNNELS.values())},
    }
    ranges = {"ipv4_cidrs": ["104.16.0.0/13"], "ipv6_cidrs": ["2606:4700::/32"]}
    return {
        "GET /servers/42": (200, {"server": _server()}),
        "GET /firewalls/7": (200, {"firewall": {"id": 7, "rules": [{"direction": "out", "protocol": "tcp"}]}}),
        f"GET /zones/{ZONE}/dns_records": (200, {"result": records(), "result_info": {"total_pages": 1}}),
        "GET /ips": (200, {"result": ranges}),
        f"{account}/access/apps": (200, {"result": access}),
        f"{account}/alerting/v3/policies": (200, {"result": [alert]}),
        **tunnels,
    }


def _server() -> dict[str, Any]:
    net = {
        "ipv4": {"ip": ORIGIN4},
        "ipv6": {"ip": "2001:db8:7::/64", "dns_ptr": []},
        "floating_ips": [],
        "firewalls": [{"id": 7, "status": "applied"}],
    }
    return {"id": 42, "labels": {"zero-exposure": STACK}, "public_net": net, "private_net": []}


def records() -> list[dict[str, Any]]:
    """The zone's records, with what else a zone may have."""
    leading = {API: "app", SSH: "admin", "*.example.org": "app"}
    found: list[dict[str, Any]] = [
        {"name": name, "type": "CNAME", "content": f"{TUNNELS[role]}.cfargotunnel.com", "proxied": True}
        for name, role in leading.items()
    ]
    return [*found, {"name": "example.org", "type": "MX", "content": "mail.example.net"},
            {"name": "example.org", "type": "TXT", "content": '"v=spf1 include:example.net -all"'}]  # fmt: skip


def _ingress(role: str) -> list[dict[str, Any]]:
    config = next(found for found in program().resources if found.name == f"tunnel-{role}-config")
    access = {"access": {"required": True, "teamName": "example", "audTag": ["aud"]}}
    return [
        {key: entry[key] for key in ("hostname", "service") if key in entry}
        | ({"originRequest": access} if "originRequest" in entry else {})
        for entry in config.props["config"]["ingresses"]
    ]


@dataclass
class Silent:
    """A scanner's findings without a scan."""

    scope: frozenset[Address]
    open: dict[Protocol, tuple[int, ...]] = field(default_factory=dict)
    closed: int = 0
    tried: int | None = None

    def scan(self, protocol: Protocol, address: Address) -> Scan:
        """As if nmap had been there."""
        if address not in self.scope:
            raise OutOfScopeError(str(address))
        tried = scan.TRIED[protocol] if self.tried is None else self.tried
        return Scan(str(address), protocol, self.open.get(protocol, ()), self.closed, tried)


@dataclass
class Stand:
    """Spoil any of it, then ask ``live``. ``sites``: the last one answers."""

    base: str
    answers: Answers
    authority: Path
    context: ssl.SSLContext
    ports: dict[int, int]
    sites: list[Site]
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=lambda: dict(OUTPUTS))
    scanner: Silent = field(default_factory=lambda: Silent(frozenset((ip_address(ORIGIN4), ip_address(ORIGIN6)))))
    udp: bool = True
    dead_ports: tuple[int, ...] = ()

    def resolve(self, name: str) -> tuple[Address, ...]:
        """Every name of the zone leads to the edge, unless a test says otherwise."""
        found = self.names.get(name, (EDGE4, EDGE6) if name.endswith("example.org") else ())
        return tuple(ip_address(text) for text in found)

    def connect(self, _address: Address, port: int) -> socket:
        """Whatever the address, the edge's stand-in."""
        if port in self.dead_ports:
            raise ConnectionRefusedError
        return create_connection(("127.0.0.1", self.ports.get(port, self.ports[443])), timeout=10)

    def ask(self, _address: Address, _port: int, _datagram: bytes) -> bytes:
        """HTTP/3 at the edge."""
        if not self.udp:
            raise TimeoutError
        return b"\x80\0\0\0\0"

    def live(self) -> Live:
        """A fresh look at it."""
        settings = gather.settings_of(ROOT, STACK)
        trust = ssl.create_default_context(cafile=str(self.authority))
        api, web = Api(self.base, "t"), Web(self.resolve, self.connect, self.ask, trust)
        live = Live(STACK, settings, plan(settings), program(), self.outputs, web=web)
        live.hetzner_api = live.cloudflare_api = api
        live.__dict__["scanner"] = self.scanner
        return live


@contextmanager
def stand(authority: Certificate, certificate: Certificate) -> Iterator[Stand]:
    """Everything on loopback, for as long as the block runs."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.load_cert_chain(certificate.certificate, certificate.key)
    sites: list[Site] = [site]
    given = answers()
    with serving(given) as (base, _), _edge(sites, None) as plain, _edge(sites, context) as secured:
        yield Stand(base, given, authority.certificate, context, {80: plain, 443: secured}, sites)


@contextmanager
def _edge(sites: list[Site], context: ssl.SSLContext | None) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def setup(self) -> None:
            if context:
                self.request = context.wrap_socket(self.request, server_side=True)
            super().setup()

        def do_GET(self) -> None:
            answer = sites[-1](self.headers["Host"], self.path, context is None)
            body = answer.body.encode()
            self.send_response_only(answer.status)
            for name, value in {**answer.headers, "content-length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """A handshake that is refused is what some tests want."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
