"""What each Cloudflare plan gets, without Pulumi."""

import inspect
from typing import get_args

import pulumi_cloudflare as cloudflare
import pytest

from components.edge import plan
from settings import cloud

every_plan = pytest.mark.parametrize("name", sorted(plan.PLANS))


def test_the_table_has_the_plans_that_a_stack_file_may_name() -> None:
    assert set(plan.PLANS) == set(get_args(cloud.Cloudflare.model_fields["plan"].annotation))


def test_free_keeps_to_what_is_free() -> None:
    free = plan.PLANS["free"]
    assert (free.custom_rules, free.rate_limits, free.mitigation, plan.PERIOD) == (5, 1, 10, 10)


@every_plan
def test_an_address_stays_blocked_at_least_as_long_as_it_is_counted(name: str) -> None:
    assert plan.PLANS[name].mitigation >= plan.PERIOD


@every_plan
def test_ai_crawlers_are_refused_and_led_astray_on_every_plan(name: str) -> None:
    chosen = plan.bots(cloud.Edge(), plan.PLANS[name])
    assert chosen["ai_bots_protection"] == "block"
    assert chosen["crawler_protection"] == "enabled"


@every_plan
def test_bot_settings_are_arguments_that_the_provider_has(name: str) -> None:
    known = inspect.signature(cloudflare.BotManagementArgs).parameters
    assert set(plan.bots(cloud.Edge(), plan.PLANS[name])) <= set(known)


@pytest.mark.parametrize(
    ("name", "groups"), [("free", set()), ("pro", {"definitely"}), ("business", {"definitely", "likely"})]
)
def test_bots_are_challenged_where_the_ssh_host_can_be_spared(name: str, groups: set[str]) -> None:
    chosen = plan.bots(cloud.Edge(), plan.PLANS[name])
    assert {key for key, value in chosen.items() if value == "managed_challenge"} == {
        f"sbfm_{group}_automated" for group in groups
    }
    assert plan.spares_ssh(cloud.Edge(), plan.PLANS[name]) is bool(groups)


@every_plan
def test_fight_mode_is_never_switched_on_since_nothing_keeps_it_off_the_ssh_host(name: str) -> None:
    assert not plan.bots(cloud.Edge(bot_fight=True), plan.PLANS[name]).get("fight_mode")


def test_switching_the_challenge_off_is_said_to_the_provider() -> None:
    chosen = plan.bots(cloud.Edge(bot_fight=False), plan.PLANS["pro"])
    assert chosen["sbfm_definitely_automated"] == "allow"
    assert not plan.spares_ssh(cloud.Edge(bot_fight=False), plan.PLANS["pro"])


def test_tls_is_forced_and_old_versions_are_refused() -> None:
    settings = plan.zone_settings(cloud.Edge(min_tls="1.3"))
    assert settings["ssl"] == "strict"
    assert settings["always_use_https"] == "on"
    assert settings["min_tls_version"] == "1.3"
    assert settings["tls_1_3"] == "on"
    assert settings["0rtt"] == "off"


def test_browsers_remember_https_for_a_year_and_no_list_remembers_it_for_ever() -> None:
    hsts = plan.zone_settings(cloud.Edge())["security_header"]["strict_transport_security"]
    assert hsts["enabled"] is True
    assert hsts["max_age"] == 365 * 24 * 60 * 60
    assert hsts["preload"] is False


def test_websockets_stay_on_because_ssh_needs_them() -> None:
    assert plan.zone_settings(cloud.Edge())["websockets"] == "on"


@pytest.mark.parametrize(("chosen", "value"), [(True, "on"), (False, "off")])
def test_hotlink_protection_follows_the_stack_file(chosen: bool, value: str) -> None:
    assert plan.zone_settings(cloud.Edge(hotlink_protection=chosen))["hotlink_protection"] == value
