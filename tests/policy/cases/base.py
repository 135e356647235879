"""What a table of cases is made of: clean resources, and ways to spoil them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from policy.rules import tokens
from policy.rules.model import Resource
from tests.policy import stacks
from tests.policy.stacks import changed, labelled, resource

CLEAN = {entry.name: entry for entry in stacks.cloud()}


@dataclass(frozen=True)
class Cases:
    """Resources that a rule must catch, and resources that no rule may complain about, each by what it is."""

    caught: Mapping[str, Resource]
    passes: Mapping[str, Resource] = field(default_factory=dict)


def firewall(**props: Any) -> Resource:
    return changed(CLEAN["firewall"], **props)


def rule(**props: Any) -> Resource:
    """A firewall with one rule."""
    return firewall(rules=[props])


def server(**props: Any) -> Resource:
    return changed(CLEAN["server"], **props)


def container(**props: Any) -> Resource:
    return changed(CLEAN["api"], **props)


def carrier(**props: Any) -> Resource:
    return changed(CLEAN["gateway-carrier"], **props)


def network(**props: Any) -> Resource:
    return changed(CLEAN["link-api-db"], **props)


def volume(**props: Any) -> Resource:
    return changed(CLEAN["gateway-files"], **props)


def image(**props: Any) -> Resource:
    return changed(CLEAN["api-image"], **props)


def docker_provider(**props: Any) -> Resource:
    return changed(CLEAN["engine"], **props)


def record(**props: Any) -> Resource:
    return changed(CLEAN["dns-api.example.org"], **props)


def tunnel(**props: Any) -> Resource:
    return changed(CLEAN["app-tunnel"], **props)


def ingress(*rules: Mapping[str, Any], **config: Any) -> Resource:
    """A tunnel configuration with these rules before the catch-all."""
    entries = [*rules, {"service": "http_status:404"}]
    return changed(CLEAN["app-config"], config={"ingresses": entries, **config})


def application(**props: Any) -> Resource:
    return changed(CLEAN["access-admin.example.org"], **props)


def policy(**props: Any) -> Resource:
    return changed(CLEAN["operators"], **props)


def allow(**include: Any) -> Resource:
    """A policy that lets in what one include says."""
    return policy(includes=[include])


def setting(name: Any, value: Any) -> Resource:
    return changed(CLEAN["ssl"], settingId=name, value=value)


def edge_rule(**props: Any) -> Resource:
    """A ruleset with one rule."""
    return changed(CLEAN["firewall-rules"], rules=[{"expression": "true", **props}])


def command(**props: Any) -> Resource:
    return changed(CLEAN["ready"], **props)


def other(token: str, /, **props: Any) -> Resource:
    """A resource of a type that the clean stack does not have."""
    return resource(token, "other", props)


def secret(base: Resource, *paths: str) -> Resource:
    """The same resource with these paths marked as secret, and no others."""
    return replace(base, secrets=frozenset(paths))


def service(*, task: Mapping[str, Any] | None = None, **props: Any) -> Resource:
    """A service of a Swarm; what is given goes into its container specification, ``task`` beside it."""
    specification = {
        "image": "example/app:1.2.3", "user": "1000:1000", "readOnly": True, "capDrops": ["ALL"], "init": True,
        "dnsConfig": {"nameservers": ["10.128.0.2"]}, **props,
    }  # fmt: skip
    whole = {
        "containerSpec": _given(specification),
        "networksAdvanceds": [{"id": "n1", "aliases": ["api"]}],
        "resources": {"limits": {"memoryBytes": 1024, "nanoCpus": 1}},
        "logDriver": {"name": "json-file", "options": {"max-size": "10m"}},
        "restartPolicy": {"condition": "any"},
        **(task or {}),
    }
    return other(
        tokens.SERVICE,
        name="dev-api",
        labels=labelled(role="service", node="api"),
        taskSpec=_given(whole),
        endpointSpec={"mode": "dnsrr"},
        updateConfig={"failureAction": "rollback", "order": "start-first"},
    )


def placed(base: Resource | None = None, **props: Any) -> Resource:
    """A service with other inputs beside its task."""
    return changed(base or service(), **props)


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}
