"""Clean stacks in miniature, as the engine would register them: one in the cloud, one local.

`known=False` is a first preview: ids, images, random values and names of Docker's are unknown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from policy.rules import tokens
from policy.rules.model import UNKNOWN, Resource
from policy.rules.secrets import MUST_BE_SECRET

TUNNEL_ID = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
IMAGE_ID = f"sha256:{'a' * 64}"
SECRET = "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IHNlY3JldCE="
NGINX = """
more_set_headers "Strict-Transport-Security: max-age=31536000";
more_set_headers "Content-Security-Policy: default-src 'self'";
more_set_headers "X-Frame-Options: DENY" "Referrer-Policy: no-referrer";
"""
GATEWAY = "http://10.128.0.18:8080"
STARTED = ("tunnel", "--no-autoupdate", "--metrics", "0.0.0.0:20241")
RUN = [*STARTED, "run", "--token-file", "/run/secrets/tunnel-token"]
QUICK = [*STARTED, "--url", GATEWAY, "--http-host-header", "api.example.org"]
WATCHED = ("gateway", "cloudflared", "crowdsec", "egress-proxy")
USER_DATA = """#cloud-config
ssh_pwauth: false
users:
  - name: ops
    lock_passwd: true
bootcmd:
  - |
    cat > /etc/nftables.conf <<'RULES'
    table inet zx {
      chain input {
        type filter hook input priority filter; policy drop;
        ct state established,related accept
      }
    }
    RULES
    nft -f /etc/nftables.conf
write_files:
  - path: /etc/ssh/sshd_config.d/00-zero-exposure.conf
    content: |
      ListenAddress 127.0.0.1
      PasswordAuthentication no
"""


def urn(token: str, name: str) -> str:
    """A URN like the engine's."""
    return f"urn:pulumi:test::zero-exposure::{token}::{name}"


def resource(
    token: str,
    name: str,
    props: Mapping[str, Any],
    sources: Mapping[str, tuple[Resource, ...]] | None = None,
    secrets: tuple[str, ...] = (),
) -> Resource:
    """A resource whose inputs were made from other resources."""
    made_from = {key: tuple(source.urn for source in found) for key, found in (sources or {}).items()}
    marked = {*secrets, *(key for key in MUST_BE_SECRET.get(token, ()) if key in props)}
    return Resource(
        type=token,
        name=name,
        urn=urn(token, name),
        props=dict(props),
        dependencies=tuple(sorted({each for found in made_from.values() for each in found})),
        property_dependencies=made_from,
        secrets=frozenset(marked),
    )


def changed(base: Resource, **props: Any) -> Resource:
    """The same resource with other inputs. None takes one out."""
    merged = {key: value for key, value in {**base.props, **props}.items() if value is not None}
    return replace(base, props=merged)


def labelled(**values: str) -> list[dict[str, str]]:
    """Labels in the provider's form."""
    return [{"label": f"zero-exposure.{key}", "value": value} for key, value in values.items()]


def network(name: str, purpose: str, client: str = "", server: str = "") -> Resource:
    """A Docker network of the plan."""
    ends = {"client": client, "server": server} if client else {}
    props = {
        "name": f"dev-{name}",
        "internal": purpose != "egress",
        "driver": "bridge",
        "labels": labelled(network=purpose, **ends),
        "ipamConfigs": [{"subnet": "10.128.0.0/29"}],
    }
    return resource(tokens.NETWORK, name, props)


def container(
    node: str, role: str, on: Sequence[tuple[Resource, str]] = (), known: bool = True, **more: Any
) -> tuple[Resource, Resource]:
    """A hardened container and its image."""
    image = resource(tokens.REMOTE_IMAGE, f"{node}-image", {"name": f"example/{node}:1.2.3", "keepLocally": True})
    props = {
        "name": f"dev-{node}",
        "hostname": node,
        "image": IMAGE_ID if known else UNKNOWN,
        "user": "1000:1000",
        "envs": ["LOG_LEVEL=info", "PASSWORD_FILE=/run/secrets/password"],
        "labels": labelled(role=role, node=node),
        "networksAdvanced": [
            {"name": net.props["name"] if known else UNKNOWN, "ipv4Address": address, "aliases": [node]}
            for net, address in on
        ],
        "networkMode": None if on else "none",
        "dns": ["10.128.0.2"],
        "readOnly": True,
        "init": True,
        "capabilities": {"drops": ["ALL"]},
        "securityOpts": ["no-new-privileges:true"],
        "restart": "unless-stopped",
        "logDriver": "json-file",
        "logOpts": {"max-size": "10m", "max-file": "3"},
        "memory": 256,
        "cpus": "0.5",
        "ulimits": [{"name": "nproc", "soft": 256, "hard": 256}],
        **more,
    }
    sources = {"image": (image,), "networksAdvanced": tuple(net for net, _ in on)}
    return image, resource(tokens.CONTAINER, node, {k: v for k, v in props.items() if v is not None}, sources)


def carrier(
    node: str, image: Resource, known: bool = True, made_of: tuple[Resource, ...] = ()
) -> tuple[Resource, Resource]:
    """A container that never runs, and the volume that its uploads fill."""
    volume = resource(tokens.VOLUME, f"{node}-files", {"name": f"dev-{node}-files"})
    props = {
        "name": f"dev-{node}-carrier",
        "image": IMAGE_ID if known else UNKNOWN,
        "start": False,
        "mustRun": False,
        "networkMode": "none",
        "capabilities": {"drops": ["ALL"]},
        "securityOpts": ["no-new-privileges:true"],
        "labels": labelled(role="carrier", node=node, config="0123456789abcdef"),
        "volumes": [{"volumeName": volume.props["name"] if known else UNKNOWN, "containerPath": "/carrier/0"}],
        "uploads": [
            {"file": "/carrier/0/nginx.conf", "content": NGINX},
            {"file": "/carrier/0/password", "content": SECRET if known else UNKNOWN},
        ],
    }
    sources = {"image": (image,), "volumes": (volume,), "uploads": made_of}
    return volume, resource(tokens.CONTAINER, f"{node}-carrier", props, sources, ("uploads[1].content",))


def containers(known: bool, *config: Resource) -> list[Resource]:
    """Connector, gateway, API, database, resolver and intrusion detection with their networks.

    Without the configuration of a tunnel the connector opens a quick one.
    """
    egress, ingress = network("egress", "egress"), network("ingress", "ingress")
    to_api = network("link-gateway-api", "link", "gateway", "api")
    to_db = network("link-api-db", "link", "api", "db")
    to_crowdsec = network("link-gateway-crowdsec", "link", "gateway", "crowdsec")
    seen = {node: network(f"link-watch-{node}", "link", "watch", node) for node in WATCHED}
    links = [(ingress, "10.128.0.18"), (to_api, "10.128.1.3"), (to_crowdsec, "10.128.3.3")]
    gateway = container("gateway", "gateway", [*links, (seen["gateway"], "10.128.4.2")], known)
    tunnel_links = [(egress, "10.128.0.4"), (ingress, "10.128.0.19"), (seen["cloudflared"], "10.128.5.2")]
    command = RUN if config else QUICK
    cloudflared = container("cloudflared", "cloudflared", tunnel_links, known, command=command)
    return [
        *(egress, ingress, to_api, to_db, to_crowdsec, *seen.values()),
        *cloudflared,
        *carrier("cloudflared", cloudflared[0], known, config),
        *gateway,
        *carrier("gateway", gateway[0], known),
        *container("api", "service", [(to_api, "10.128.1.2"), (to_db, "10.128.2.3")], known),
        *container("db", "service", [(to_db, "10.128.2.2")], known),
        *container("crowdsec", "crowdsec", [(to_crowdsec, "10.128.3.2"), (seen["crowdsec"], "10.128.6.2")], known),
        *container(
            "egress-proxy", "egress-proxy", [(egress, "10.128.0.3"), (seen["egress-proxy"], "10.128.7.2")], known
        ),
        *container("watch", "monitoring", [(net, f"10.128.{4 + i}.3") for i, net in enumerate(seen.values())], known),
        *container("resolver", "resolver", [(egress, "10.128.0.2")], known),
    ]


def local(known: bool = True) -> list[Resource]:
    """A stack on this machine's Docker Engine: no server, no account, no public host."""
    provider = resource(tokens.DOCKER_PROVIDER, "engine", {"host": "unix:///var/run/docker.sock"})
    return [resource("pulumi:pulumi:Stack", "zero-exposure-test", {}), provider, *containers(known)]


def cloud(known: bool = True) -> list[Resource]:
    """A whole stack: server, tunnels, edge, containers."""
    host = _host(known)
    config = next(entry for entry in host if entry.name == "app-config")
    return [resource("pulumi:pulumi:Stack", "zero-exposure-test", {}), *host, *_edge(), *containers(known, config)]


def _host(known: bool) -> list[Resource]:
    key = resource("tls:index/privateKey:PrivateKey", "host-key", {"algorithm": "ED25519"})
    secret = resource("random:index/randomPassword:RandomPassword", "tunnel-secret", {"length": 48})
    firewall = resource(
        tokens.FIREWALL,
        "firewall",
        {"rules": [{"direction": "out", "protocol": "tcp", "port": "7844", "destinationIps": ["0.0.0.0/0", "::/0"]}]},
    )
    admin = tunnel("admin", secret, known)
    operator = resource("hcloud:index/sshKey:SshKey", "operator", {"publicKey": "ssh-ed25519 AAAA operator"})
    server = resource(
        tokens.SERVER,
        "server",
        {
            "serverType": "cx22",
            "image": "debian-12",
            "firewallIds": [4711 if known else UNKNOWN],
            "sshKeys": ["815" if known else UNKNOWN],
            "publicNets": [{"ipv4Enabled": True, "ipv6Enabled": True}],
            "userData": USER_DATA if known else UNKNOWN,
        },
        {"firewallIds": (firewall,), "sshKeys": (operator,), "userData": (key, secret, admin)},
    )
    options = '["-o","StrictHostKeyChecking=yes","-o","KnownHostsCommand=/bin/echo ssh.example.org key"]'
    ready = resource(
        tokens.LOCAL_COMMAND,
        "ready",
        {"create": "ssh -o StrictHostKeyChecking=yes ops@ssh.example.org 'docker version'" if known else UNKNOWN},
        {"create": (key,)},
    )
    provider = resource(
        tokens.DOCKER_PROVIDER,
        "engine",
        {"host": "ssh://ops@ssh.example.org", "sshOpts": options if known else UNKNOWN},
        {"sshOpts": (key,)},
    )
    app = tunnel("app", secret, known)
    return [key, secret, firewall, operator, admin, server, ready, provider, app, *_names(admin, app, known)]


def tunnel(name: str, secret: Resource, known: bool) -> Resource:
    """A tunnel whose secret was generated."""
    props = {
        "accountId": "0" * 32,
        "name": f"zero-exposure-{name}",
        "configSrc": "cloudflare",
        "tunnelSecret": SECRET if known else UNKNOWN,
    }
    return resource(tokens.TUNNELS[0], f"{name}-tunnel", props, {"tunnelSecret": (secret,)})


def guarded(known: bool) -> dict[str, Any]:
    """An ingress rule's Access check."""
    return {"access": {"required": True, "teamName": "example", "audTags": ["aud" if known else UNKNOWN]}}


def _names(admin: Resource, app: Resource, known: bool) -> list[Resource]:
    rules = {
        "admin": (admin, [{"hostname": "ssh.example.org", "service": "ssh://127.0.0.1:22"}]),
        "app": (
            app,
            [
                {"hostname": "api.example.org", "service": GATEWAY},
                {"hostname": "admin.example.org", "service": GATEWAY},
            ],
        ),
    }
    found = [_config(name, owner, entries, known) for name, (owner, entries) in rules.items()]
    hosts = {"ssh.example.org": admin, "api.example.org": app, "*.example.org": app}
    return [*found, *(_record(host, owner, known) for host, owner in hosts.items()), *_access(known)]


def _config(name: str, owner: Resource, entries: list[dict[str, Any]], known: bool) -> Resource:
    ingresses = [
        {**entry, "originRequest": guarded(known)} if entry["hostname"] != "api.example.org" else entry
        for entry in entries
    ]
    props = {
        "accountId": "0" * 32,
        "tunnelId": TUNNEL_ID if known else UNKNOWN,
        "source": "cloudflare",
        "config": {"ingresses": [*ingresses, {"service": "http_status:404"}]},
    }
    return resource(tokens.TUNNEL_CONFIGS[0], f"{name}-config", props, {"tunnelId": (owner,)})


def _record(host: str, owner: Resource, known: bool) -> Resource:
    props = {
        "zoneId": "1" * 32,
        "name": host,
        "type": "CNAME",
        "content": f"{TUNNEL_ID}.cfargotunnel.com" if known else UNKNOWN,
        "proxied": True,
        "ttl": 1,
    }
    return resource(tokens.DNS_RECORDS[0], f"dns-{host}", props, {"content": (owner,)})


def _access(known: bool) -> list[Resource]:
    policy = resource(
        tokens.ACCESS_POLICIES[0],
        "operators",
        {"accountId": "0" * 32, "decision": "allow", "includes": [{"email": {"email": "someone@example.org"}}]},
    )
    reference = [{"id": "policy" if known else UNKNOWN, "precedence": 1}]
    applications = [
        resource(
            tokens.ACCESS_APPLICATIONS[0],
            f"access-{host}",
            {"accountId": "0" * 32, "type": "self_hosted", "domain": host, "policies": reference},
            {"policies": (policy,)},
        )
        for host in ("ssh.example.org", "admin.example.org")
    ]
    return [policy, *applications]


def _edge() -> list[Resource]:
    zone = {"zoneId": "1" * 32}
    settings = {"ssl": "strict", "min_tls_version": "1.2", "always_use_https": "on"}
    rules = [{"action": "block", "expression": 'http.request.method eq "TRACE"', "enabled": True}]
    return [
        *(
            resource(tokens.ZONE_SETTING, name, {**zone, "settingId": name, "value": value})
            for name, value in settings.items()
        ),
        resource(tokens.RULESET, "firewall-rules", {**zone, "kind": "zone", "phase": "custom", "rules": rules}),
        resource(tokens.NOTIFICATION, "health", {"alertType": "tunnel_health_event"}),
        resource(tokens.BOT_MANAGEMENT, "bots", {**zone, "fightMode": True, "aiBotsProtection": "block"}),
    ]
