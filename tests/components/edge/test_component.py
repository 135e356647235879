"""The Edge component on mocks."""

from typing import Any

import pulumi
import pulumi_cloudflare as cloudflare
import pytest

from components.edge.component import Edge, EdgeArgs
from components.edge.plan import PLANS
from settings import cloud
from tests.mocks import Recording, both_modes, run

SETTING = "cloudflare:index/zoneSetting:ZoneSetting"
RULESET = "cloudflare:index/ruleset:Ruleset"
BOTS = "cloudflare:index/botManagement:BotManagement"
DNSSEC = "cloudflare:index/zoneDnssec:ZoneDnssec"

every_plan = pytest.mark.parametrize("plan", sorted(PLANS))


def edge(plan: str = "free", opts: pulumi.ResourceOptions | None = None, bans: bool = False, **chosen: Any) -> Edge:
    args: EdgeArgs = {
        "stack": "dev",
        "domain": "example.com",
        "cloudflare": cloud.Cloudflare.model_validate(
            {"account_id": "a" * 32, "zone_id": "b" * 32, "team": "acme", "plan": plan}
        ),
        "edge": cloud.Edge.model_validate(chosen),
        "operators": cloud.Operators(networks=("203.0.113.0/24",)),
        "visitor_hosts": ("api.example.com",),
        "admin_hosts": ("admin.example.com",),
        "ssh_hosts": ("ssh-dev.example.com",),
        "bans": bans,
    }
    return Edge("edge", args, opts)


def ran(preview: bool, plan: str = "free", **chosen: Any) -> Recording:
    def program() -> None:
        edge(plan, **chosen)

    return run(program, preview)


def zone_wide(recording: Recording) -> list[str]:
    """Everything that changes a whole zone."""
    return [made.name for made in recording.resources if "zoneId" in made.props]


def rules(recording: Recording, phase: str) -> list[Any]:
    return [rule for made in recording.of_type(RULESET) if made.props["phase"] == phase for rule in made.props["rules"]]


@both_modes
def test_nothing_is_zone_wide_where_another_stack_has_the_zone(preview: bool) -> None:
    assert zone_wide(ran(preview, manage_zone=False)) == []


@both_modes
def test_control_a_managed_zone_is_seen_as_zone_wide(preview: bool) -> None:
    assert {"edge-ssl", "edge-bots", "edge-firewall", "edge-rate", "edge-dnssec"} <= set(zone_wide(ran(preview)))


@both_modes
def test_banned_addresses_are_blocked_after_what_must_not_be_told_apart(preview: bool) -> None:
    recording = ran(preview, bans=True)
    (made,) = recording.of_type("cloudflare:index/list:List")
    refs = [rule["ref"] for rule in rules(recording, "http_request_firewall_custom")]
    expression = rules(recording, "http_request_firewall_custom")[1]["expression"]
    assert refs[:2] == ["hosts", "bans"]
    assert expression == f"(ip.src in ${made.props['name']} and not ip.src in {{203.0.113.0/24}})"
    assert made.ignore_changes == ("items",)


@both_modes
@pytest.mark.parametrize("bans", [True, False])
@every_plan
def test_rule_counts_fit_the_plan(preview: bool, plan: str, bans: bool) -> None:
    recording = ran(preview, plan, bans=bans)
    assert 0 < len(rules(recording, "http_request_firewall_custom")) <= PLANS[plan].custom_rules
    assert 0 < len(rules(recording, "http_ratelimit")) <= PLANS[plan].rate_limits
    assert len(recording.of_type(RULESET)) == 2


@both_modes
def test_free_has_the_only_rate_limit_that_it_may_have(preview: bool) -> None:
    (rule,) = rules(ran(preview, requests_per_10s=77), "http_ratelimit")
    assert rule["action"] == "block"
    assert rule["ratelimit"] == {
        "characteristics": ["cf.colo.id", "ip.src"],
        "period": 10,
        "requestsPerPeriod": 77,
        "mitigationTimeout": 10,
    }


@both_modes
@every_plan
def test_a_rule_that_skips_names_the_one_phase_and_the_one_host(preview: bool, plan: str) -> None:
    skipping = [rule for rule in rules(ran(preview, plan), "http_request_firewall_custom") if rule["action"] == "skip"]
    assert len(skipping) == (1 if PLANS[plan].challenged else 0)
    for rule in skipping:
        assert rule["actionParameters"] == {"phases": ["http_request_sbfm"]}
        assert rule["expression"] == 'lower(http.host) eq "ssh-dev.example.com"'


@both_modes
@every_plan
def test_rules_that_block_have_no_parameters(preview: bool, plan: str) -> None:
    blocking = [rule for rule in rules(ran(preview, plan), "http_request_firewall_custom") if rule["action"] == "block"]
    assert len(blocking) == 4
    assert not any("actionParameters" in rule for rule in blocking)
    assert all(rule["enabled"] is True for rule in blocking)


@both_modes
def test_zone_settings_carry_the_names_that_the_api_has(preview: bool) -> None:
    settings = {made.props["settingId"]: made.props["value"] for made in ran(preview, min_tls="1.3").of_type(SETTING)}
    assert settings["ssl"] == "strict"
    assert settings["min_tls_version"] == "1.3"
    # The value is passed on as it is: its keys are the API's, not Pulumi's.
    assert settings["security_header"]["strict_transport_security"]["include_subdomains"] is True


@both_modes
def test_other_sites_of_the_zone_stay_reachable_when_they_are_named(preview: bool) -> None:
    first = rules(ran(preview, other_hosts=("www.example.com",)), "http_request_firewall_custom")[0]
    assert '"www.example.com"' in first["expression"]


@both_modes
def test_bots_get_the_labyrinth_and_free_no_fight_mode(preview: bool) -> None:
    (free,) = ran(preview).of_type(BOTS)
    assert free.props["crawlerProtection"] == "enabled"
    assert "fightMode" not in free.props
    (pro,) = ran(preview, "pro").of_type(BOTS)
    assert pro.props["sbfmDefinitelyAutomated"] == "managed_challenge"


@both_modes
def test_the_zone_is_signed_and_stays_so(preview: bool) -> None:
    (signed,) = ran(preview).of_type(DNSSEC)
    assert signed.props["status"] == "active"
    assert signed.ignore_changes == (), "what a refresh reads (pending) would be sent back, and be refused"


@both_modes
def test_destroying_the_stack_leaves_the_zone_signed(preview: bool) -> None:
    """Signatures that vanish while the registrar still announces them make the whole domain unreachable."""
    kept: list[str] = []

    def note(made: pulumi.ResourceTransformationArgs) -> None:
        if made.opts.retain_on_delete:
            kept.append(made.name)

    def program() -> None:
        edge(opts=pulumi.ResourceOptions(transformations=[note]))

    run(program, preview)
    assert kept == ["edge-dnssec"]


def test_what_the_registrar_needs_is_an_output_only_where_the_zone_is_ours() -> None:
    def program() -> None:
        pulumi.export("ours", edge().ds_record is not None)

    def other() -> None:
        pulumi.export("ours", edge(manage_zone=False).ds_record is not None)

    assert run(program, preview=True).exports["ours"] is True
    assert run(other, preview=True).exports["ours"] is False


@both_modes
def test_everything_is_a_child_of_the_component_and_nothing_is_protected(preview: bool) -> None:
    recording = ran(preview, "business")
    (parent,) = recording.of_type("zero-exposure:index:Edge")
    children = [made for made in recording.resources if made.type.startswith("cloudflare:")]
    assert len(children) > 10
    assert all(child.parent == parent.urn and child.name.startswith("edge-") for child in children)
    assert not any(made.protect for made in recording.resources)


@both_modes
def test_control_a_zone_setting_beside_the_component_is_found(preview: bool) -> None:
    def program() -> None:
        edge(manage_zone=False)
        cloudflare.ZoneSetting("planted", zone_id="b" * 32, setting_id="ssl", value="off")

    assert zone_wide(run(program, preview)) == ["planted"]
