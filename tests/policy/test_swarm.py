"""The stack rules on a whole Swarm, as the program registers it: known, and at a first preview."""

import json
import runpy
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ops.preview.record import Recording, record
from ops.preview.simulated import outputs_of
from ops.preview.stackfile import stack_values
from policy.rules import tokens
from policy.rules.engine import check_resource, check_stack, exposure
from policy.rules.model import Resource
from policy.rules.task import as_container
from tests.mocks import nothing_known
from tests.policy.stacks import changed, labelled

ROOT = Path(__file__).parents[2]
Stack = list[Resource]
Spoil = Callable[[Stack], Stack]


@cache
def recorded(known: bool) -> Recording:
    """Pulumi.swarm.yaml's graph."""

    def program() -> None:
        runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")

    return record(
        program,
        stack="swarm",
        config=stack_values(ROOT, "swarm"),
        outputs=outputs_of if known else nothing_known,
    )


def named(stack: Stack, token: str, name: str) -> Resource:
    return next(each for each in stack if each.type == token and each.name == name)


def change(name: str, edit: Callable[[dict[str, Any]], object], token: str = tokens.SERVICE) -> Spoil:
    """The stack with one resource's inputs edited."""

    def spoil(stack: Stack) -> Stack:
        base = named(stack, token, name)
        props = json.loads(json.dumps(dict(base.props), default=lambda _: None))
        edit(props)
        return [changed(each, **props) if each is base else each for each in stack]

    return spoil


def mounted(props: dict[str, Any], volume: str, **options: Any) -> None:
    """Gives a service's tasks one volume."""
    entry = {"type": "volume", "source": volume, "target": "/data", "volumeOptions": options}
    props["taskSpec"]["containerSpec"].update(mounts=[entry])


def join(service: str, network: str) -> Spoil:
    """The stack with a service on one more network."""

    def spoil(stack: Stack) -> Stack:
        base, more = named(stack, tokens.SERVICE, service), named(stack, tokens.NETWORK, network)
        task = base.props["taskSpec"]
        entries = [*task["networksAdvanceds"], {"id": "some-id", "aliases": [service]}]
        made = {**base.property_dependencies, "taskSpec": (*base.property_dependencies["taskSpec"], more.urn)}
        spoiled = replace(changed(base, taskSpec={**task, "networksAdvanceds": entries}), property_dependencies=made)
        return [spoiled if each is base else each for each in stack]

    return spoil


def without(name: str) -> Spoil:
    return lambda stack: [each for each in stack if not (each.type == tokens.SERVICE and each.name == name)]


CASES: dict[str, tuple[str, Spoil]] = {
    "a quick tunnel": (
        "stack-connector",
        change(
            "cloudflared",
            lambda p: p["taskSpec"]["containerSpec"].update(args=["tunnel", "--url", "http://gateway:8080"]),
        ),
    ),
    "another's token": (
        "stack-connector",
        lambda stack: [each for each in stack if each.type != tokens.SECRET or "tunnel-token" not in each.name],
    ),
    "a third on a link": ("stack-links", join("crowdsec", "networks-link-api-postgres")),
    "a service with a way out": ("stack-egress", join("api", "networks-egress")),
    "a service beside the connector": ("stack-ingress", join("api", "networks-ingress")),
    "no gateway": ("stack-one-gateway", without("gateway")),
    "a network of elsewhere": (
        "stack-roles",
        change("api", lambda p: p["taskSpec"]["networksAdvanceds"].append({"id": "elsewhere"})),
    ),
    "a network of elsewhere by name": (
        "stack-roles",
        change("api", lambda p: p["taskSpec"]["networksAdvanceds"].append({"name": "production"})),
    ),
    "no role": ("stack-roles", change("api", lambda p: p.update(labels=labelled(node="api")))),
    "a published port": (
        "checklist-1-no-inbound",
        change("gateway", lambda p: p["endpointSpec"].update(ports=[{"targetPort": 80, "publishedPort": 80}])),
    ),
    "a connector that is root": (
        "checklist-2-connector",
        change("cloudflared", lambda p: p["taskSpec"]["containerSpec"].update(user="0:0")),
    ),
    "a service that can change": (
        "checklist-9-versioned",
        change("api", lambda p: p["taskSpec"]["containerSpec"].update(readOnly=False)),
    ),
    "names from elsewhere": (
        "checklist-8-names",
        change("api", lambda p: p["taskSpec"]["containerSpec"].update(dnsConfig={"nameservers": ["8.8.8.8"]})),
    ),
    "no detector": ("checklist-7-intrusion", without("crowdsec")),
    "no headers": (
        "checklist-6-headers",
        lambda stack: [each for each in stack if each.type != tokens.SERVICE_CONFIG],
    ),
    "another's volume": (
        "stack-volume-owner",
        change("api", lambda p: mounted(p, "swarm-postgres-data")),
    ),
    "a volume of elsewhere": ("stack-volume-source", change("api", lambda p: mounted(p, "prod-postgres-data"))),
    "a volume of elsewhere, called its own": (
        "stack-volume-source",
        change("api", lambda p: mounted(p, "prod-postgres-data", labels=labelled(node="api"))),
    ),
}
KNOWN_ONLY = {"another's volume"}
"""At a first preview no volume has a name."""
TABLE = [
    (what, rule, spoil, known)
    for what, (rule, spoil) in CASES.items()
    for known in (True, False)
    if known or what not in KNOWN_ONLY
]


@pytest.mark.parametrize(
    ("rule", "spoil", "known"), [case[1:] for case in TABLE], ids=[f"{what}-{known}" for what, *_, known in TABLE]
)
def test_is_caught(rule: str, spoil: Spoil, known: bool) -> None:
    stack = recorded(known).resources
    assert rule not in {violation.rule for violation in check_stack(stack)}
    assert rule in {violation.rule for violation in check_stack(spoil(list(stack)))}


@pytest.mark.parametrize("known", [True, False])
def test_the_example_passes(known: bool) -> None:
    stack = recorded(known).resources
    found = [violation for each in stack for violation in check_resource(each)] + check_stack(stack)
    assert found == []


def test_the_score_counts_services_as_it_counts_containers() -> None:
    found = exposure(recorded(True).resources)
    assert (found.open_inbound_ports, found.tls_termination_points, found.centralized_ingress_percent) == (0, 1, 100)
    assert {"container isolation", "network isolation", "gateway", "intrusion detection"} <= set(found.layers)
    assert all(item.ok for item in found.checklist)


def test_a_published_port_is_an_open_one() -> None:
    spoil = change("gateway", lambda p: p["endpointSpec"].update(ports=[{"targetPort": 80}, {"targetPort": 81}]))
    assert exposure(spoil(list(recorded(True).resources))).open_inbound_ports == 2


def test_a_container_stays_as_it_is() -> None:
    container = recorded(True).of_type(tokens.CONTAINER)[0]
    assert as_container(container) is container


def test_what_is_no_map_has_nothing_in_it() -> None:
    """So that what a rule asks for is missing, and that is a finding."""
    found = as_container(Resource(tokens.SERVICE, "s", "urn", {"taskSpec": "x"}))
    assert found.props["user"] is None
    assert found.props["networksAdvanced"] is None
