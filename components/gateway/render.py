"""The gateway's files, from values. Pure: the same values give the same texts."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

from components.template import templates
from settings.gateway import Gateway
from settings.route import Route
from topology.model import Node, Topology, Upstream
from topology.names import CLOUDFLARED, CROWDSEC, GATEWAY, GATEWAY_PORT, LOG_SHIPPER, SYSLOG_PORT

FOLDER = Path(__file__).parent
PREFIX = "/etc/zero-exposure"
CONFIG, LUA, SECRETS = f"{PREFIX}/gateway", f"{PREFIX}/lua", "/run/secrets"
SCRATCH = "/run/gateway"
METRICS_PORT = 9145
INNER_PORT = 8081
"""Where the gateway listens behind the door of a Swarm."""
ENGINE_NAMES = "127.0.0.11"
"""Docker's own DNS in each container: it knows the addresses of a service's tasks."""
CROWDSEC_PORT = 8081
POLL_SECONDS = 2
"""How often decisions are fetched: the longest that a new ban, or its end, takes to reach the gateway."""
FAILURES = 3
"""Failed requests in a row after which a service is left alone for a while."""
BAN_ENTRIES = 100_000
CROWDSEC_KEY = "crowdsec-key"
FINGERPRINTS = (
    "X-Powered-By",
    "Via",
    "X-AspNet-Version",
    "X-AspNetMvc-Version",
    "X-Runtime",
    "X-Generator",
    "X-Served-By",
    "X-Backend-Server",
    "X-Varnish",
)
"""Answer headers by which services name their software."""
OVERRIDES = (
    "Client-IP",
    "Fastly-Client-IP",
    "Forwarded",
    "Proxy",
    "True-Client-IP",
    "X-Client-IP",
    "X-Cluster-Client-IP",
    "X-Forwarded-Host",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "X-Forwarded-Scheme",
    "X-Forwarded-Server",
    "X-HTTP-Method",
    "X-HTTP-Method-Override",
    "X-Method-Override",
    "X-Original-URL",
    "X-Rewrite-URL",
)
"""Request headers by which some services take another path, method or address for the request's own."""
CONDITIONS = (
    "methods",
    "max_body",
    "rate",
    "connections",
    "require_headers",
    "forbid_headers",
    "api_key",
    "login",
    "sensitive",
    "csp",
)
"""What of a route would not hold if its path, spelled in another way, led by another route to its service."""
SECURITY_HEADERS = {
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "Content-Security-Policy": "$csp",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-site",
    "X-Request-Id": "$id",
}


@dataclass(frozen=True)
class Crowdsec:
    """Where decisions come from and log lines go to; ``key_file`` is in the gateway's container."""

    host: str
    port: int
    syslog: str
    key_file: str = f"{SECRETS}/{CROWDSEC_KEY}"


@dataclass(frozen=True)
class Door:
    """What stands before the gateway on a Swarm, where the connectors' addresses are known by their network alone.

    It lets in whoever comes from ``network``, and hands on to loopback. Measurements are for ``watchers``; ``names`` is
    asked for the addresses of services.
    """

    listen: str
    network: str
    watchers: str
    names: str = ENGINE_NAMES


@dataclass(frozen=True)
class Values:
    """Everything that the files are made of.

    ``peer`` is the one address that may name a visitor's. ``edge`` is false where no Cloudflare edge is in front.
    ``shipper`` is where the whole log goes as well.
    """

    listen: str
    metrics_listen: tuple[str, ...]
    peer: str
    edge: bool
    operators: tuple[str, ...]
    gateway: Gateway
    upstreams: tuple[Upstream, ...]
    crowdsec: Crowdsec | None = None
    shipper: str | None = None
    door: Door | None = None
    """None where there is one server."""
    secrets: str = SECRETS
    scratch: str = SCRATCH
    log: str = "/dev/stdout"

    @cached_property
    def hosts(self) -> dict[str, list[tuple[int, Upstream]]]:
        """Routes by host, with the number that names each in the configuration."""
        numbered = sorted(enumerate(self.upstreams), key=lambda entry: (entry[1].route.host, entry[1].route.path))
        return {host: list(routes) for host, routes in groupby(numbered, key=lambda entry: entry[1].route.host)}


def values(topology: Topology, gateway: Gateway, operators: tuple[str, ...], *, tunnelled: bool) -> Values:
    """The values of a stack. Without a tunnel (``target: local``) the peer is the machine itself: its address on the
    ingress network, which is the network's first."""
    if topology.cluster:
        return _values_on_swarm(topology, gateway, operators)
    ingress = topology.network("ingress")
    link = topology.nodes[GATEWAY].addresses
    crowdsec, shipper = _server(topology, CROWDSEC), _server(topology, LOG_SHIPPER)
    return Values(
        listen=f"{ingress.members[GATEWAY]}:{GATEWAY_PORT}",
        metrics_listen=tuple(f"{address}:{METRICS_PORT}" for address in ("127.0.0.1", *_watched(topology, link))),
        peer=str(ingress.members[CLOUDFLARED] if tunnelled else ingress.subnet[1]),
        edge=tunnelled,
        operators=operators,
        gateway=gateway,
        upstreams=topology.upstreams,
        crowdsec=_crowdsec(crowdsec) if crowdsec else None,
        shipper=f"{shipper}:{SYSLOG_PORT}" if shipper else None,
    )


def _values_on_swarm(topology: Topology, gateway: Gateway, operators: tuple[str, ...]) -> Values:
    """The peer is the door, in the same container."""
    crowdsec, shipper = _server(topology, CROWDSEC), _server(topology, LOG_SHIPPER)
    watchers = next(network.subnet for network in topology.networks if network.server == GATEWAY)
    return Values(
        listen=f"127.0.0.1:{INNER_PORT}",
        metrics_listen=(f"0.0.0.0:{METRICS_PORT}",),
        peer="127.0.0.1",
        edge=True,
        operators=operators,
        gateway=gateway,
        upstreams=topology.upstreams,
        crowdsec=_crowdsec(crowdsec) if crowdsec else None,
        shipper=f"{shipper}:{SYSLOG_PORT}" if shipper else None,
        door=Door(f"0.0.0.0:{GATEWAY_PORT}", str(topology.network("ingress").subnet), str(watchers)),
    )


def _server(topology: Topology, node: str) -> str | None:
    """What the gateway calls a node by, on its link to it."""
    links = (network for network in topology.networks if (network.client, network.server) == (GATEWAY, node))
    return next((network.host(node) for network in links), None)


def _watched(topology: Topology, addresses: dict[str, Any]) -> list[str]:
    """The gateway's own address on links where it is the server: only monitoring connects to it."""
    return [str(addresses[network.name]) for network in topology.networks if network.server == GATEWAY]


def _crowdsec(host: str) -> Crowdsec:
    return Crowdsec(host, CROWDSEC_PORT, f"{host}:{SYSLOG_PORT}")


def files(given: Values) -> dict[str, str]:
    """Path in the container → text, without secrets."""
    environment = templates(FOLDER)
    context = _context(given)
    rendered = {f"{CONFIG}/nginx.conf": environment.get_template("nginx.conf.j2").render(context)}
    for template in sorted((FOLDER / "snippets").glob("*.conf.j2")):
        name = f"snippets/{template.name}"
        rendered[f"{CONFIG}/{template.stem}"] = environment.get_template(name).render(context)
    rendered[f"{CONFIG}/gate.json"] = json.dumps(_gate(given), indent=1, sort_keys=True) + "\n"
    rendered |= {f"{LUA}/{path.name}": path.read_text(encoding="utf-8") for path in (FOLDER / "lua").glob("*.lua")}
    return rendered


def _context(given: Values) -> dict[str, Any]:
    routes = {number: _route(number, upstream, given) for number, upstream in enumerate(given.upstreams)}
    return {
        **{
            key: getattr(given, key)
            for key in ("listen", "metrics_listen", "peer", "edge", "operators", "scratch", "log", "shipper", "door")
        },
        **given.gateway.model_dump(include={"workers", "rate", "burst", "connections", "max_body", "csp"}),
        "syslog": given.crowdsec.syslog if given.crowdsec else None,
        "routes": list(routes.values()),
        "hosts": [_host(name, found, routes) for name, found in given.hosts.items()],
        "upstreams": list(_servers(given.upstreams)),
        "failures": FAILURES,
        "ban_entries": f"{BAN_ENTRIES:,}",
        "fingerprints": FINGERPRINTS,
        "security_headers": SECURITY_HEADERS,
        "overrides": OVERRIDES,
    }


def _route(number: int, upstream: Upstream, given: Values) -> dict[str, Any]:
    route = upstream.route
    hides = bool(_admin_paths(given.hosts[route.host]))
    own = route.model_dump(exclude={"errors"})
    return own | {
        "id": number,
        "name": f"{upstream.service}{route.path}",
        "upstream": upstream.service,
        "port": upstream.port,
        "ruled": _is_ruled(route),
        # A service's own error body may repeat the path that was asked for, which gives a hidden one away.
        "intercept": route.errors == "gateway" or hides,
        "hides": hides and not route.admin,
        "private": route.admin or route.login or route.sensitive or route.api_key is not None,
    }


def _is_ruled(route: Route) -> bool:
    return bool(route.require_headers or route.forbid_headers or route.api_key)


def _host(name: str, found: list[tuple[int, Upstream]], routes: dict[int, dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": name,
        "admin_only": all(upstream.route.admin for _, upstream in found),
        "has_root": any(upstream.route.path == "/" for _, upstream in found),
        "routes": [routes[number] for number, _ in found],
    }


def _servers(upstreams: tuple[Upstream, ...]) -> Iterator[dict[str, Any]]:
    by_service = {upstream.service: upstream for upstream in upstreams}
    for service, upstream in sorted(by_service.items()):
        yield {"name": service, "servers": [f"{address}:{upstream.port}" for address in upstream.addresses]}


def _gate(given: Values) -> dict[str, Any]:
    """What the Lua files read when nginx starts."""
    gate: dict[str, Any] = {
        "peer": given.peer,
        "edge": given.edge,
        "admin": {name: paths for name, found in given.hosts.items() if (paths := _admin_paths(found))},
        "closed": {name: True for name, found in given.hosts.items() if "/" in _admin_paths(found)},
        "visible": {name: _visible_paths(found) for name, found in given.hosts.items()},
        "guarded": {name: paths for name, found in given.hosts.items() if (paths := _guarded_paths(found))},
        "rules": {
            str(number): _rule(upstream.route, given.secrets)
            for number, upstream in enumerate(given.upstreams)
            if _is_ruled(upstream.route)
        },
    }
    if given.crowdsec:
        api = {"host": given.crowdsec.host, "port": given.crowdsec.port, "key_file": given.crowdsec.key_file}
        gate["crowdsec"] = api | {"every": POLL_SECONDS}
    return gate


def _admin_paths(found: list[tuple[int, Upstream]]) -> list[str]:
    """Admin paths of a host that visitors may use too, in lower case. The Lua files fold them."""
    admin = [upstream.route.path.lower() for _, upstream in found if upstream.route.admin]
    return admin if len(admin) < len(found) else []


def _visible_paths(found: list[tuple[int, Upstream]]) -> list[str]:
    """Paths of a host's routes that are not hidden from visitors, longest first. The root is every other path's."""
    inner = [upstream.route for _, upstream in found if upstream.route.path != "/"]
    admin = [route.path.lower() for route in inner if route.admin]
    return sorted((route.path for route in inner if not _is_below(route.path.lower(), admin)), key=len, reverse=True)


def _is_below(path: str, others: list[str]) -> bool:
    """As the Lua files compare it: a suffix counts as below."""
    return any(path == other or path.startswith((f"{other}/", f"{other}.")) for other in others)


def _guarded_paths(found: list[tuple[int, Upstream]]) -> list[str]:
    """Paths of a host whose routes have conditions. Every path lies under ``/``, so nobody gets past those of that."""
    return [
        upstream.route.path for _, upstream in found if upstream.route.path != "/" and _has_conditions(upstream.route)
    ]


def _has_conditions(route: Route) -> bool:
    return any(getattr(route, name) != Route.model_fields[name].default for name in CONDITIONS)


def _rule(route: Route, secrets: str) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "require": [name.lower() for name in route.require_headers],
        "forbid": [name.lower() for name in route.forbid_headers],
    }
    return rule | ({"api_key_file": f"{secrets}/{api_key_file(route.api_key)}"} if route.api_key else {})


def routes(topology: Topology) -> list[dict[str, Any]]:
    """Which nodes serve which host and path: what the stack shows of its routes."""
    return [
        {
            "host": upstream.route.host,
            "path": upstream.route.path,
            "admin": upstream.route.admin,
            "nodes": [name for name, node in topology.nodes.items() if _serves(node, upstream)],
        }
        for upstream in topology.upstreams
    ]


def _serves(node: Node, upstream: Upstream) -> bool:
    return node.service == upstream.service and f"link-{GATEWAY}-{node.name}" in node.addresses


def api_key_file(secret: str) -> str:
    """The file name of an API key: the stack secret's name."""
    return f"api-key-{secret}"
