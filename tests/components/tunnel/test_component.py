"""The Tunnel component on mocks. Each guard is a function that is shown to find a planted fault."""

from collections.abc import Callable, Iterator
from typing import Any

import pulumi
import pulumi_cloudflare as cloudflare
import pytest

from components.tunnel.component import Tunnel, TunnelArgs
from components.tunnel.render import secret, token
from ops.preview.record import record as record_run
from policy.rules.model import UNKNOWN, Resource, leaves
from settings import cloud
from tests.mocks import Recording, both_modes, nothing_known, run

ACCOUNT = cloud.Cloudflare(account_id="a" * 32, zone_id="b" * 32, team="acme")
OPERATORS = cloud.Operators(emails=("ann@example.com", "bob@example.com"), networks=("203.0.113.0/24",))
VISITORS = ("api.example.com", "example.com")
ADMINS = ("admin.example.com", "queue.example.com")

RECORD = "cloudflare:index/dnsRecord:DnsRecord"
TUNNEL = "cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared"
CONFIG = "cloudflare:index/zeroTrustTunnelCloudflaredConfig:ZeroTrustTunnelCloudflaredConfig"
APPLICATION = "cloudflare:index/zeroTrustAccessApplication:ZeroTrustAccessApplication"
POLICY = "cloudflare:index/zeroTrustAccessPolicy:ZeroTrustAccessPolicy"
SERVICE_TOKEN = "cloudflare:index/zeroTrustAccessServiceToken:ZeroTrustAccessServiceToken"
NOTIFICATION = "cloudflare:index/notificationPolicy:NotificationPolicy"
PASSWORD = "random:index/randomPassword:RandomPassword"


def tunnel(**changed: Any) -> Tunnel:
    args: TunnelArgs = {
        "stack": "dev",
        "domain": "example.com",
        "cloudflare": ACCOUNT,
        "tunnel": cloud.Tunnel(),
        "operators": OPERATORS,
        "visitor_hosts": VISITORS,
        "admin_hosts": ADMINS,
        "gateway_url": "http://10.128.0.18:8080",
    }
    return Tunnel("tunnel", {**args, **changed})  # type: ignore[typeddict-item] # tests change single arguments


def program() -> None:
    made = tunnel()
    for name in ("admin_token", "app_token", "service_token_id", "service_token_secret", "ssh_host"):
        pulumi.export(name, getattr(made, name))
    pulumi.export("urls", made.urls)
    pulumi.export("admin_urls", made.admin_urls)


def ingresses(recording: Recording) -> Iterator[tuple[Resource, list[Any]]]:
    for config in recording.of_type(CONFIG):
        yield config, config.props["config"]["ingresses"]


def unproxied(recording: Recording) -> list[str]:
    return [record.name for record in recording.of_type(RECORD) if record.props.get("proxied") is not True]


def unguarded(recording: Recording, hosts: tuple[str, ...]) -> list[str]:
    """Ingress rules of these hosts, and every rule to SSH, in which the connector demands no Access token."""
    rules = [rule for _, listed in ingresses(recording) for rule in listed]
    meant = [rule for rule in rules if rule["service"].startswith("ssh:") or rule.get("hostname") in hosts]
    return [rule["hostname"] for rule in meant if not _demands_access(rule)]


def _demands_access(rule: Any) -> bool:
    access = rule.get("originRequest", {}).get("access", {})
    return access.get("required") is True and access.get("teamName") == "acme" and len(access.get("audTags", [])) == 1


def without_catch_all(recording: Recording) -> list[str]:
    def ends_well(rules: list[Any]) -> bool:
        return rules[-1] == {"service": "http_status:404"} and all(rule.get("hostname") for rule in rules[:-1])

    return [config.name for config, rules in ingresses(recording) if not ends_well(rules)]


def listed_by_name(recording: Recording, hosts: tuple[str, ...]) -> list[str]:
    return [record.name for record in recording.of_type(RECORD) if record.props["name"] in hosts]


def secrets_of(recording: Recording) -> set[str]:
    """Texts that must stay secret: the tunnels' secrets, the tokens made of them, the service token."""
    made = [entry for entry in recording.registrations if entry.resource.type == PASSWORD and entry.outputs]
    raw = {secret(entry.outputs["result"]) for entry in made}
    ids = {config.props["tunnelId"] for config in recording.of_type(CONFIG)}
    shown = {entry.outputs["clientSecret"] for entry in recording.registrations if entry.resource.type == SERVICE_TOKEN}
    return raw | shown | {token("a" * 32, tunnel_id, secret) for tunnel_id in ids for secret in raw}


def leaked(recording: Recording) -> list[str]:
    """Inputs in which one of those texts is not marked as a secret."""
    secrets = secrets_of(recording)
    return [
        f"{resource.name}.{path}"
        for resource in recording.resources
        for path, value in leaves(resource.props)
        if path not in resource.secrets and isinstance(value, str) and any(secret in value for secret in secrets)
    ]


@both_modes
def test_no_record_is_unproxied_and_each_points_at_its_tunnel(preview: bool) -> None:
    recording = run(program, preview)
    assert unproxied(recording) == []
    targets = {record.props["name"]: record for record in recording.of_type(RECORD)}
    assert set(targets) == {"ssh-dev.example.com", *VISITORS, "*.example.com"}
    assert {record.props["type"] for record in targets.values()} == {"CNAME"}
    assert {record.props["ttl"] for record in targets.values()} == {1}
    made = {resource.name: resource.urn for resource in recording.of_type(TUNNEL)}
    for name, record in targets.items():
        behind = "tunnel-admin-tunnel" if name.startswith("ssh-") else "tunnel-app-tunnel"
        assert made[behind] in record.property_dependencies["content"]
        assert record.props["content"].endswith(".cfargotunnel.com")


@both_modes
def test_ssh_and_admin_hosts_demand_access_in_the_connector(preview: bool) -> None:
    assert unguarded(run(program, preview), ADMINS) == []


@both_modes
def test_visitors_need_no_login(preview: bool) -> None:
    recording = run(program, preview)
    assert unguarded(recording, VISITORS) == list(VISITORS)
    assert {app.props["domain"] for app in recording.of_type(APPLICATION)} == {"ssh-dev.example.com", *ADMINS}


@both_modes
def test_each_guarded_rule_names_the_application_of_its_own_host(preview: bool) -> None:
    recording = run(program, preview)
    tags = {
        entry.resource.props["domain"]: entry.outputs["aud"]
        for entry in recording.registrations
        if entry.resource.type == APPLICATION
    }
    for _, rules in ingresses(recording):
        for rule in rules:
            if "originRequest" in rule:
                assert rule["originRequest"]["access"]["audTags"] == [tags[rule["hostname"]]]


@both_modes
def test_every_ingress_ends_in_a_catch_all(preview: bool) -> None:
    assert without_catch_all(run(program, preview)) == []


@both_modes
def test_admin_hosts_are_in_no_record_by_name(preview: bool) -> None:
    assert listed_by_name(run(program, preview), ADMINS) == []


@both_modes
def test_secrets_are_marked_wherever_they_go(preview: bool) -> None:
    recording = run(program, preview)
    assert len(secrets_of(recording)) > 3
    assert leaked(recording) == []
    for name in ("admin_token", "app_token", "service_token_secret"):
        assert recording.exports[name] == "[secret]"
    assert recording.exports["service_token_id"] != "[secret]"
    assert all("tunnelSecret" in resource.secrets for resource in recording.of_type(TUNNEL))


@both_modes
def test_a_name_appears_only_after_the_tunnels_configuration(preview: bool) -> None:
    recording = run(program, preview)
    configs = {config.name: config.urn for config in recording.of_type(CONFIG)}
    for record in recording.of_type(RECORD):
        role = "admin" if record.props["name"].startswith("ssh-") else "app"
        assert configs[f"tunnel-{role}-config"] in record.dependencies


@both_modes
def test_a_name_goes_before_the_access_application_in_front_of_it(preview: bool) -> None:
    """In a change that takes both, the configuration between them is changed already, and orders nothing."""
    recording = run(program, preview)
    guards = {app.props["domain"]: app.urn for app in recording.of_type(APPLICATION)}
    records = {record.props["name"]: record.dependencies for record in recording.of_type(RECORD)}
    assert guards.keys() & records.keys()
    assert [host for host, before in records.items() if host in guards and guards[host] not in before] == []


@both_modes
def test_tunnels_are_configured_at_cloudflare_under_names_of_their_own(preview: bool) -> None:
    recording = run(program, preview)
    assert [made.props["configSrc"] for made in recording.of_type(TUNNEL)] == ["cloudflare", "cloudflare"]
    names = [made.props["name"] for made in recording.of_type(TUNNEL)]
    assert len(set(names)) == 2
    assert all(name.startswith("zero-exposure-dev-") and name[-6:].isalnum() for name in names)


@both_modes
def test_people_log_in_by_name_and_the_pipeline_reaches_ssh_only(preview: bool) -> None:
    recording = run(program, preview)
    policies = {policy.props["decision"]: policy for policy in recording.of_type(POLICY)}
    people = [entry["email"]["email"] for entry in policies["allow"].props["includes"]]
    assert people == list(OPERATORS.emails)
    assert list(policies["non_identity"].props["includes"][0]) == ["serviceToken"]
    pipeline = policies["non_identity"].urn
    allowed = {
        app.props["domain"]
        for app in recording.of_type(APPLICATION)
        if pipeline in app.property_dependencies["policies"]
    }
    assert allowed == {"ssh-dev.example.com"}


@both_modes
def test_sessions_are_short_and_hard_to_steal(preview: bool) -> None:
    for app in run(program, preview).of_type(APPLICATION):
        assert app.props["sessionDuration"] == "8h"
        assert app.props["httpOnlyCookieAttribute"] is True
        assert app.props["sameSiteCookieAttribute"] == "lax"
        assert app.props["appLauncherVisible"] is False
        assert app.props["optionsPreflightBypass"] is False
        # cloudflared keeps no second cookie.
        assert app.props["enableBindingCookie"] is (app.props["domain"] in ADMINS)


@both_modes
def test_the_service_token_expires(preview: bool) -> None:
    assert [shown.props["duration"] for shown in run(program, preview).of_type(SERVICE_TOKEN)] == ["8760h"]


@both_modes
def test_operators_hear_of_a_tunnel_that_is_down(preview: bool) -> None:
    (policy,) = run(program, preview).of_type(NOTIFICATION)
    assert policy.props["alertType"] == "tunnel_health_event"
    assert [entry["id"] for entry in policy.props["mechanisms"]["emails"]] == list(OPERATORS.emails)
    assert len(policy.props["filters"]["tunnelIds"]) == 2


@both_modes
def test_outputs_name_where_the_stack_is_found(preview: bool) -> None:
    exports = run(program, preview).exports
    assert exports["ssh_host"] == "ssh-dev.example.com"
    assert exports["urls"] == ("https://api.example.com", "https://example.com")
    assert exports["admin_urls"] == ("https://admin.example.com", "https://queue.example.com")


@both_modes
def test_everything_is_a_child_of_the_component_and_nothing_is_protected(preview: bool) -> None:
    recording = run(program, preview)
    (parent,) = recording.of_type("zero-exposure:index:Tunnel")
    children = [made for made in recording.resources if made.type.startswith(("cloudflare:", "random:"))]
    assert len(children) > 15
    assert all(child.parent == parent.urn and child.name.startswith("tunnel-") for child in children)
    assert not any(made.protect for made in recording.resources)


def test_a_first_preview_knows_nothing_and_still_shows_what_decides() -> None:
    recording = record_run(program, preview=True, outputs=nothing_known)
    assert unproxied(recording) == []
    assert unguarded(recording, ADMINS) == []
    assert without_catch_all(recording) == []
    assert all(made.props["tunnelSecret"] is UNKNOWN for made in recording.of_type(TUNNEL))
    assert recording.exports["app_token"] == "[secret]"


def _with(plant: Callable[[], None]) -> Recording:
    def planted() -> None:
        program()
        plant()

    return run(planted, preview=False)


def test_control_an_unproxied_record_is_found() -> None:
    recording = _with(
        lambda: _record("origin.example.com", proxied=False),
    )
    assert unproxied(recording) == ["planted"]


def test_control_a_record_of_an_admin_host_is_found() -> None:
    assert listed_by_name(_with(lambda: _record(ADMINS[0], proxied=True)), ADMINS) == ["planted"]


def test_control_a_token_in_plain_text_is_found() -> None:
    def plant() -> None:
        plain = pulumi.Output.unsecret(tunnel_of_its_own().app_token)
        _record("x.example.com", proxied=True, comment=plain)

    assert leaked(run(plant, preview=False)) == ["planted.comment"]


def test_control_ssh_without_access_is_found() -> None:
    assert unguarded(_with(lambda: _config("ssh://127.0.0.1:22", last="http_status:404")), ()) == ["y.example.com"]


@pytest.mark.parametrize("last", ["http://10.0.0.1:80", "http_status:200"])
def test_control_an_ingress_without_a_catch_all_is_found(last: str) -> None:
    assert without_catch_all(_with(lambda: _config("http://10.0.0.1:80", last=last))) == ["planted"]


def tunnel_of_its_own() -> Tunnel:
    return tunnel(admin_hosts=())


def _record(name: str, proxied: bool, comment: pulumi.Input[str] = "planted") -> None:
    cloudflare.DnsRecord(
        "planted", zone_id="b" * 32, name=name, type="CNAME", content="x", proxied=proxied, ttl=1, comment=comment
    )


def _config(service: str, last: str) -> None:
    rule = cloudflare.ZeroTrustTunnelCloudflaredConfigConfigIngressArgs
    rules = [rule(service=service, hostname="y.example.com"), rule(service=last)]
    cloudflare.ZeroTrustTunnelCloudflaredConfig(
        "planted",
        account_id="a" * 32,
        tunnel_id="z",
        config=cloudflare.ZeroTrustTunnelCloudflaredConfigConfigArgs(ingresses=rules),
    )


@both_modes
def test_no_secret_is_made_by_a_type_whose_id_is_its_value(preview: bool) -> None:
    """Ids are plain text in the state."""
    assert [resource.name for resource in run(program, preview).resources if "RandomBytes" in resource.type] == []
    assert len(run(program, preview).of_type(PASSWORD)) == 2
