"""Every stack rule catches what is done to a clean stack, at preview and at update, in the cloud and locally."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from policy.rules import table, tokens
from policy.rules.edge import SPECTRUM
from policy.rules.engine import check_resource, check_stack
from policy.rules.model import UNKNOWN, Resource, StackRule
from tests.policy import stacks
from tests.policy.stacks import changed, labelled, network, resource

Stack = list[Resource]
Spoil = Callable[[Stack], Stack]


def named(stack: Stack, name: str) -> Resource:
    """The one resource of that name."""
    return next(entry for entry in stack if entry.name == name)


def put(stack: Stack, *spoiled: Resource) -> Stack:
    """The stack with these in place of those of the same URN, or added."""
    urns = {entry.urn for entry in spoiled}
    return [*(entry for entry in stack if entry.urn not in urns), *spoiled]


def without(name: str) -> Spoil:
    return lambda stack: [entry for entry in stack if entry.name != name]


def change(name: str, **props: Any) -> Spoil:
    return lambda stack: put(stack, changed(named(stack, name), **props))


def sourceless(name: str, /, **props: Any) -> Spoil:
    """Takes the record away of what a resource was made from."""

    def spoil(stack: Stack) -> Stack:
        return put(stack, replace(changed(named(stack, name), **props), dependencies=(), property_dependencies={}))

    return spoil


def drop_link(server: str) -> Spoil:
    """Takes the link from monitoring to a node away, and both off it."""

    def spoil(stack: Stack) -> Stack:
        link = named(stack, f"link-watch-{server}")
        for name in ("watch", server):
            base = named(stack, name)
            kept = [entry for entry in base.props["networksAdvanced"] if entry["name"] != link.props["name"]]
            stack = put(stack, changed(base, networksAdvanced=kept))
        return [entry for entry in stack if entry is not link]

    return spoil


def relabel(name: str, **values: str) -> Spoil:
    return change(name, labels=labelled(**values))


def join(name: str, *networks: str) -> Spoil:
    """Puts a container on further networks, as the program would."""

    def spoil(stack: Stack) -> Stack:
        base, on = named(stack, name), [named(stack, each) for each in networks]
        entries = [*base.props["networksAdvanced"], *({"name": net.props["name"]} for net in on)]
        made = {**base.property_dependencies}
        made["networksAdvanced"] = (*made["networksAdvanced"], *(net.urn for net in on))
        return put(stack, replace(changed(base, networksAdvanced=entries), property_dependencies=made))

    return spoil


def link(client: str, server: str) -> Spoil:
    """One more declared link between two containers that are there."""
    made = network(f"link-{client}-{server}", "link", client, server)
    return lambda stack: join(server, made.name)(join(client, made.name)([*stack, made]))


def join_unknown(name: str, *networks: str) -> Spoil:
    """The same at a first preview, where names are unknown."""

    def spoil(stack: Stack) -> Stack:
        base = named(join(name, *networks)(stack), name)
        return put(stack, changed(base, networksAdvanced=[{"name": UNKNOWN}] * len(base.props["networksAdvanced"])))

    return spoil


def add(*more: Resource) -> Spoil:
    return lambda stack: put(stack, *more)


def reroute(config: str, service: str, hostname: str = "api.example.org", **origin: Any) -> Spoil:
    """A tunnel configuration with one rule."""
    entry = {"hostname": hostname, "service": service, **({"originRequest": origin} if origin else {})}
    return change(config, config={"ingresses": [entry, {"service": "http_status:404"}]})


def ingress(config: str, *rules: Mapping[str, Any]) -> Spoil:
    """A tunnel configuration with these rules to the gateway."""
    entries = [{"service": "http://10.128.0.18:8080", **rule} for rule in rules]
    return change(config, config={"ingresses": [*entries, {"service": "http_status:404"}]})


def mount(name: str, role: str, volume: str, *, read_only: bool = False) -> Spoil:
    """A container of a role mounts a volume."""

    def spoil(stack: Stack) -> Stack:
        entry = {"volumeName": volume, "containerPath": "/data", "readOnly": read_only}
        base = named(relabel(name, role=role, node=name)(stack), name)
        return put(stack, changed(base, volumes=[*base.props.get("volumes", []), entry]))

    return spoil


def grouped(name: str, prop: str, token: str = tokens.ACCESS_GROUPS[0]) -> Spoil:
    """Lets a group in, which is of this stack if it is an Access group."""

    def spoil(stack: Stack) -> Stack:
        group = resource(token, "staff", {"includes": [{"email": {"email": "someone@example.org"}}]})
        base, include = named(stack, name), [{"group": {"id": UNKNOWN}}]
        value = include if prop == "includes" else [{"decision": "allow", "includes": include}]
        made = {**base.property_dependencies, prop: (group.urn,)}
        return put(stack, group, replace(changed(base, **{prop: value}), property_dependencies=made))

    return spoil


def mount_also(name: str, volume: Any, *made_of: str) -> Spoil:
    """A container mounts a volume by the provider's other word for it."""

    def spoil(stack: Stack) -> Stack:
        base = named(stack, name)
        made = {**base.property_dependencies, "mounts": tuple(named(stack, each).urn for each in made_of)}
        entry = {"type": "volume", "source": volume, "target": "/more"}
        return put(stack, replace(changed(base, mounts=[entry]), property_dependencies=made))

    return spoil


def both(*spoils: Spoil) -> Spoil:
    """One after another."""

    def spoil(stack: Stack) -> Stack:
        for each in spoils:
            stack = each(stack)
        return stack

    return spoil


def unnamed(name: str) -> Spoil:
    """The same at a first preview that knows no names: what a container mounts is told by what it is made of."""

    def spoil(stack: Stack) -> Stack:
        volume = resource(tokens.VOLUME, "shared", {"name": "dev-shared"})
        base = named(stack, name)
        entry = [{"volumeName": UNKNOWN, "containerPath": "/data"}]
        made = {**base.property_dependencies, "volumes": (volume.urn,)}
        return put(stack, volume, replace(changed(base, volumes=entry), property_dependencies=made))

    return spoil


def verification(name: str) -> Resource:
    """A record for a machine that checks whose the zone is."""
    props = {"type": "CNAME", "name": name, "content": "x.example.net", "proxied": False}
    return resource(tokens.DNS_RECORDS[0], name, props)


FOREIGN = [4711, 4712]
BARE = resource(tokens.CONTAINER, "bare", {"image": "example/bare:1.0"})
CASES: dict[str, dict[str, Spoil]] = {
    "stack-server-firewall": {
        "no firewall in the stack": without("firewall"),
        "a firewall of elsewhere": sourceless("server", firewallIds=[UNKNOWN]),
        "one of this stack and one of elsewhere": change("server", firewallIds=FOREIGN),
        "no list": change("server", firewallIds=None, publicNets=None),
    },
    "stack-image-source": {"an image of elsewhere": sourceless("api", image=UNKNOWN)},
    "stack-volume-source": {
        "a volume of elsewhere": sourceless("api", volumes=[{"volumeName": UNKNOWN, "containerPath": "/data"}]),
        "one of elsewhere by its name": mount("api", "service", "prod-db"),
        "one of elsewhere among mounts": mount_also("api", UNKNOWN),
        "one of elsewhere by its name among mounts": mount_also("api", "prod-db"),
        "one of this stack and one of elsewhere": both(
            unnamed("api"), mount_also("api", "prod-db"), mount("api", "service", "dev-shared")
        ),
    },
    "stack-volume-owner": {
        "two services": both(mount("api", "service", "dev-db"), mount("db", "service", "dev-db")),
        "two services, one of which reads": both(
            mount("api", "service", "dev-db", read_only=True), mount("db", "service", "dev-db")
        ),
        "two services at a first preview": both(unnamed("api"), unnamed("db")),
        "two services, one among mounts": both(mount_also("api", "dev-db"), mount("db", "service", "dev-db")),
        "two services among mounts at a first preview": both(unnamed("db"), mount_also("api", UNKNOWN, "shared")),
        "another's files": mount("api", "service", "dev-gateway-files", read_only=True),
        "another's files among mounts": mount_also("api", "dev-gateway-files"),
        "a backup that may write": both(mount("db", "service", "dev-db"), mount("resolver", "backup", "dev-db")),
        "monitoring that may write": both(mount("db", "service", "dev-db"), mount("resolver", "monitoring", "dev-db")),
    },
    "stack-backup": {"none": mount("db", "service", "dev-db")},
    "stack-user-data-source": {"of nothing": sourceless("server", userData=UNKNOWN)},
    "stack-command-source": {
        "of nothing": sourceless("ready", create=UNKNOWN),
        "of a server": lambda stack: put(
            stack,
            replace(
                changed(named(stack, "ready"), create=UNKNOWN),
                property_dependencies={"create": (named(stack, "server").urn,)},
            ),
        ),
    },
    "stack-docker-host-source": {"of nothing": sourceless("engine", host=UNKNOWN)},
    "stack-private-network": {
        "a server of elsewhere": add(
            resource(tokens.SERVER_NETWORK, "joined", {"serverId": 4711, "subnetId": "9-10.0.0.0/16", "ip": "10.0.0.9"})
        ),
    },
    "stack-roles": {
        "no labels": add(BARE),
        "an unknown role": relabel("api", role="helper", node="api"),
        "a carrier that runs": relabel("api", role="carrier", node="api"),
        "a service that never runs": relabel("gateway-carrier", role="service", node="gateway", config="x"),
        "a network of elsewhere": change("api", networksAdvanced=[{"name": "production"}]),
    },
    "stack-links": {
        "a third container": join("resolver", "link-api-db"),
        "a third container at a first preview": join_unknown("db", "link-gateway-api"),
        "one that is not declared": relabel("link-api-db", network="link", client="gateway", server="db"),
        "an empty link": add(network("link-a-b", "link", "a", "b")),
    },
    "stack-one-link-a-pair": {"two": add(network("link-2", "link", "db", "api"))},
    "stack-egress": {
        "a service": join("api", "egress"),
        "a service at a first preview": join_unknown("api", "egress"),
        "two networks": add(network("egress-2", "egress")),
    },
    "stack-ingress": {"a service": join("db", "ingress"), "two networks": add(network("ingress-2", "ingress"))},
    "stack-one-gateway": {
        "none": relabel("gateway", role="monitoring", node="gateway"),
        "two": relabel("api", role="gateway", node="api"),
        "a service as well": join("api", "ingress"),
        "with a way out": join("gateway", "egress"),
        "a connector that asks a service": link("cloudflared", "api"),
        "a connector that a service asks": link("api", "cloudflared"),
        "a connector that asks monitoring": link("cloudflared", "watch"),
        "a connector that something asks, called monitoring's": relabel("watch", role="service", node="watch"),
        "a connector with a third on monitoring's link": join("api", "link-watch-cloudflared"),
        "a connector with another's name on monitoring's link": relabel("watch", role="monitoring", node="other"),
    },
    "stack-one-container-a-node": {"twice": relabel("db", role="service", node="api")},
    "stack-configuration": {"no digest": relabel("gateway-carrier", role="carrier", node="gateway")},
    "stack-dns-source": {
        "another's tunnel": sourceless("dns-api.example.org"),
        "another's tunnel in lower case": sourceless("dns-api.example.org", type="cname"),
        "another's tunnel for a verification name": sourceless("dns-api.example.org", name="_o.example.org"),
        "another's tunnel beside one of this stack": lambda stack: [
            replace(named(stack, "dns-api.example.org"), urn="urn:2", dependencies=(), property_dependencies={}),
            *stack,
        ],
        "no tunnel": without("app-tunnel"),
    },
    "stack-tunnel-config": {
        "another's tunnel": sourceless("app-config"),
        "no configuration": without("app-config"),
    },
    "stack-names": {
        "a name without a rule": reroute("app-config", "http://10.128.0.18:8080", "www.example.org"),
        "a rule without a name": without("dns-ssh.example.org"),
    },
    "stack-admin-access": {
        "no application": without("access-admin.example.org"),
        "no application for SSH": without("access-ssh.example.org"),
        "no check in the connector": ingress("app-config", {"hostname": "admin.example.org"}),
        "a check in the connector, perhaps": ingress(
            "app-config", {"hostname": "admin.example.org", "originRequest": {"access": {"required": UNKNOWN}}}
        ),
        "a rule without a check before the one with it": ingress(
            "app-config",
            {"hostname": "admin.example.org", "path": ".*"},
            {"hostname": "admin.example.org", "originRequest": stacks.guarded(True)},
        ),
        "a wildcard without a check": both(
            change("access-admin.example.org", domain="*.example.org"),
            ingress("app-config", {"hostname": "*.example.org"}),
        ),
        "another host": change("access-admin.example.org", domain="other.example.org"),
        "one path of the host": change("access-admin.example.org", domain="admin.example.org/login"),
        "a host that the gateway calls an admin's": lambda stack: relabel(
            "gateway", role="gateway", node="gateway", **{"admin-hosts": "api.example.org, admin.example.org"}
        )(stack),
    },
    "stack-access-policy": {
        "a policy made by hand": sourceless("access-admin.example.org", policies=[{"id": "f174e90a"}]),
        "no policy in the stack": without("operators"),
    },
    "stack-access-group": {
        "a group made by hand": change("operators", includes=[{"group": {"id": "f174e90a"}}]),
        "what is no group": grouped("operators", "includes", tokens.ACCESS_POLICIES[0]),
        "in a group of this stack": add(
            resource(tokens.ACCESS_GROUPS[0], "staff", {"includes": [{"group": {"id": "f174e90a"}}]})
        ),
        "in an application's own policy": change(
            "access-admin.example.org",
            policies=[{"decision": "allow", "includes": [{"group": {"id": "f174e90a"}}]}],
        ),
    },
    "stack-central-ingress": {
        "a rule that can't be read": change("app-config", config={"ingresses": [UNKNOWN]}),
        "past the gateway": reroute("app-config", "http://10.128.1.2:3000"),
        "past it in upper case": reroute("app-config", "HTTP://10.128.1.2:3000"),
        "past it by a scheme of its own": reroute("app-config", "tcp://10.128.0.18:8080"),
        "to what can't be read": reroute("app-config", "http://[10.128.0.18"),
        "to the host": reroute("app-config", "http://localhost:9090"),
        "to the host, by the admin tunnel": reroute("admin-config", "HTTP://127.0.0.1:6060", "ssh.example.org"),
    },
    "stack-connector": {
        "no arguments": change("cloudflared", command=None),
        "arguments unknown": change("cloudflared", command=UNKNOWN),
        "a word unknown": change("cloudflared", command=[UNKNOWN, *stacks.RUN]),
        "a quick tunnel": change("cloudflared", command=["tunnel", "--url", "http://gateway:8080"]),
        "a quick tunnel beside its own": change("cloudflared", command=[*stacks.RUN, "--url=http://gateway:8080"]),
        "another program": change("cloudflared", entrypoints=["sh", "-c"]),
        "a file of its own": change("cloudflared", command=["tunnel", "--config", "/etc/x.yml", *stacks.RUN[1:]]),
        "another host's name": change("cloudflared", command=[*stacks.RUN, "--http-host-header", "admin.example.org"]),
        "one dash": change("cloudflared", command=[*stacks.RUN, "-url", "http://gateway:8080"]),
        "a page for everyone": change("cloudflared", command=[*stacks.RUN, "--hello-world"]),
        "a token in the arguments": change("cloudflared", command=["tunnel", "run", "--token", "x"]),
        "by its environment": change("cloudflared", envs=["TUNNEL_URL=http://gateway:8080"]),
        "another's token": sourceless("cloudflared-carrier"),
        "no token": without("cloudflared-carrier"),
        "no tunnel of this stack": lambda stack: [
            entry for entry in stack if entry.type not in (*tokens.TUNNELS, *tokens.TUNNEL_CONFIGS)
        ],
        "a quick tunnel past the gateway": lambda stack: put(
            [entry for entry in stack if entry.type not in (*tokens.TUNNELS, *tokens.TUNNEL_CONFIGS)],
            changed(named(stack, "cloudflared"), command=["tunnel", "--url", "http://10.128.1.2:3000"]),
        ),
    },
    "stack-ssh-local": {
        "another machine": reroute("admin-config", "ssh://10.128.1.2:22", "ssh.example.org", **stacks.guarded(True)),
        "another machine in upper case": reroute(
            "admin-config", "SSH://10.0.0.9:22", "ssh.example.org", **stacks.guarded(True)
        ),
        "another machine by name": reroute("admin-config", "ssh://db:22", "ssh.example.org", **stacks.guarded(True)),
    },
    "stack-internal-names": {
        "a node": add(resource(tokens.DNS_RECORDS[0], "leak", {"type": "MX", "name": "m", "content": "db.internal"})),
    },
    "stack-metrics": {
        "an inbound rule": change("firewall", rules=[{"direction": "in", "port": "1-1024"}]),
        "rules unknown": change("firewall", rules=UNKNOWN),
        "a published port": change("api", ports=[{"internal": 80}]),
        "past the gateway": reroute("app-config", "http://10.128.1.2:3000"),
        "a second place for TLS": reroute("app-config", "https://10.128.0.18:8443"),
        "too few layers": lambda stack: [
            entry for entry in stack if entry.type.startswith(("hcloud", "pulumi", "tls", "random"))
        ],
        "a published service": add(resource(tokens.SERVICE, "s", {"endpointSpec": {"ports": [{"targetPort": 1}]}})),
    },
    "checklist-1-no-inbound": {
        "a published port": change("gateway", ports=[{"internal": 80}]),
        "an inbound rule": change("firewall", rules=[{"direction": "in"}]),
        "a forwarded port": add(resource(SPECTRUM, "s", {})),
    },
    "checklist-2-connector": {
        "root": change("cloudflared", user="0:0"),
        "root with a reason": change(
            "cloudflared",
            user="0:0",
            labels=labelled(role="cloudflared", node="cloudflared", **{"root-reason": "a reason that is long enough"}),
        ),
        "none": without("cloudflared"),
    },
    "checklist-3-gateway": {"two bridges": join("api", "ingress"), "no bridge": without("gateway")},
    "checklist-4-isolation": {"a third on a link": join("resolver", "link-api-db")},
    "checklist-5-tls": {"plain HTTP": without("always_use_https"), "weak": change("ssl", value="flexible")},
    "checklist-6-headers": {"no headers": change("gateway-carrier", uploads=[{"file": "/x", "content": "server {}"}])},
    "checklist-7-intrusion": {"none": without("crowdsec")},
    "checklist-8-names": {
        "another resolver": change("api", dns=["8.8.8.8"]),
        "the daemon's own": change("api", dns=None),
        "none": without("resolver"),
    },
    "checklist-9-versioned": {
        "a writable container": change("api", readOnly=False),
        "a remote command": add(resource("command:remote:Command", "c", {})),
        "files without a digest": relabel("gateway-carrier", role="carrier", node="gateway"),
    },
    "checklist-10-monitoring": {
        "none": without("watch"),
        "alerts that stay inside": without("egress-proxy"),
        "no notification of the edge": without("health"),
        **{f"a {node} that nobody asks": drop_link(node) for node in ("gateway", "cloudflared", "crowdsec")},
        "asked by a service": relabel("watch", role="service", node="watch"),
    },
}
TABLE = [(rule, what, spoil) for rule, entries in CASES.items() for what, spoil in entries.items()]
CLEAN = [(name, known) for name in ("cloud", "local") for known in (True, False)]


@pytest.mark.parametrize(("rule", "what", "spoil"), TABLE, ids=[f"{rule}: {what}" for rule, what, _ in TABLE])
def test_is_caught(rule: str, what: str, spoil: Spoil) -> None:
    found = {violation.rule: violation for violation in check_stack(spoil(stacks.cloud()))}
    assert rule in found
    assert found[rule].level == table.BY_ID[rule].level
    assert found[rule].remediation


@pytest.mark.parametrize(("name", "known"), CLEAN)
def test_a_clean_stack_passes(name: str, known: bool) -> None:
    stack = getattr(stacks, name)(known)
    found = [violation for entry in stack for violation in check_resource(entry)] + check_stack(stack)
    assert [violation for violation in found if violation.blocking] == []
    assert found == []


PASSES: dict[str, dict[str, Spoil]] = {
    "stack-volume-owner": {
        "a backup that reads": both(
            mount("db", "service", "dev-db"), mount("crowdsec", "backup", "dev-db", read_only=True)
        ),
        "what two backups share": both(mount("db", "backup", "dev-x"), mount("api", "backup", "dev-x")),
        "what monitoring reads of backups": both(
            mount("db", "backup", "dev-x"), mount("api", "monitoring", "dev-x", read_only=True)
        ),
        "a volume of its own": mount("db", "service", "dev-db"),
        "its own files": mount("gateway", "gateway", "dev-gateway-files", read_only=True),
        "its own files among mounts": mount_also("gateway", "dev-gateway-files"),
        "files of a backup's own": mount("gateway", "backup", "dev-gateway-files"),
    },
    **{
        rule: {
            "a verification name": add(verification("_acme-challenge.example.org")),
            "a mail service's key": add(verification("s1._domainkey.example.org")),
        }
        for rule in ("stack-dns-source", "stack-names")
    },
    "stack-admin-access": {
        "a path of an admin host that is checked": ingress(
            "app-config",
            {"hostname": "admin.example.org", "path": "/x", "originRequest": stacks.guarded(True)},
            {"hostname": "admin.example.org", "originRequest": stacks.guarded(False)},
        ),
        "a path of an admin host that is not there": ingress(
            "app-config",
            {"hostname": "admin.example.org", "path": "/x", "service": "http_status:404"},
            {"hostname": "admin.example.org", "originRequest": stacks.guarded(True)},
        ),
    },
    "stack-volume-source": {
        "a volume of this stack": mount("gateway", "gateway", "dev-gateway-files"),
        "one of this stack among mounts": mount_also("gateway", "dev-gateway-files"),
        "one of this stack at a first preview": unnamed("db"),
        "one of this stack among mounts at a first preview": mount_also("gateway", UNKNOWN, "gateway-files"),
        "one that Docker names": both(
            add(resource(tokens.VOLUME, "nameless", {})), mount_also("db", "0123456789abcdef", "nameless")
        ),
    },
    "stack-central-ingress": {
        "the gateway in upper case": reroute("app-config", "HTTP://10.128.0.18:8080"),
        "an answer of the connector's own": reroute("app-config", "http_status:503"),
    },
    "stack-access-group": {
        "one of this stack": grouped("operators", "includes"),
        "one of this stack in an application's own policy": grouped("access-admin.example.org", "policies"),
        "one that is refused": change("operators", decision="deny", includes=[{"group": {"id": "f174e90a"}}]),
    },
    "stack-connector": {
        "its program by name": change("cloudflared", entrypoints=["cloudflared"]),
        "a value joined": change("cloudflared", command=["tunnel", "--loglevel=warn", *stacks.RUN[1:]]),
        "a setting of no consequence": change("cloudflared", envs=["TZ=UTC"]),
    },
    "stack-ssh-local": {
        "upper case": reroute("admin-config", "SSH://127.0.0.1:22", "ssh.example.org", **stacks.guarded(True)),
    },
}
MAY = [(rule, what, spoil) for rule, entries in PASSES.items() for what, spoil in entries.items()]


@pytest.mark.parametrize(("rule", "what", "spoil"), MAY, ids=[f"{rule}: {what}" for rule, what, _ in MAY])
def test_passes(rule: str, what: str, spoil: Spoil) -> None:
    assert rule not in {violation.rule for violation in check_stack(spoil(stacks.cloud()))}


def test_every_stack_rule_has_cases() -> None:
    assert set(CASES) == {rule.id for rule in table.STACK_RULES}


@pytest.mark.parametrize("off", table.STACK_RULES, ids=lambda rule: rule.id)
def test_a_rule_that_is_switched_off_is_missed(off: StackRule) -> None:
    kept = tuple(rule for rule in table.STACK_RULES if rule is not off)
    for spoil in CASES[off.id].values():
        assert off.id not in {violation.rule for violation in check_stack(spoil(stacks.cloud()), rules=kept)}


def test_only_what_asks_for_an_optional_component_is_advisory() -> None:
    advisory = {rule.id for rule in table.ALL if rule.level == "advisory"}
    assert advisory == {"stack-backup"}
