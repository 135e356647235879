"""CrowdSec's files, from a stack's plan."""

from dataclasses import replace

import pytest
import yaml

from components.gateway import render as gateway
from components.intrusion.render import CONFIG, HUB, files, values
from settings.intrusion import Intrusion
from tests.components.intrusion.planned import with_crowdsec
from tests.samples import cloud_stack, settings


def rendered(**chosen: object) -> dict[str, str]:
    return files(values(with_crowdsec(), Intrusion.model_validate(chosen), ("203.0.113.0/24",)))


def test_every_file_is_yaml() -> None:
    found = rendered(community={"login": "capi_login", "password": "capi_password"})
    assert len([path for path in found if path.endswith(".yaml") and yaml.safe_load(found[path])]) >= 15


def test_nothing_calls_home_unless_the_stack_takes_part() -> None:
    assert "online_client" not in yaml.safe_load(rendered()[f"{CONFIG}/config.yaml"])["api"]["server"]
    taking_part = rendered(community={"login": "capi_login", "password": "capi_password"})
    server = yaml.safe_load(taking_part[f"{CONFIG}/config.yaml"])["api"]["server"]
    assert server["online_client"] == {"credentials_path": "/run/secrets/community.yaml"}


def test_a_ban_lasts_as_long_as_the_stack_says() -> None:
    profile = yaml.safe_load(rendered(ban="12h")[f"{CONFIG}/profiles.yaml"])
    assert profile["decisions"] == [{"type": "ban", "duration": "12h"}]


@pytest.mark.parametrize("operators", [("203.0.113.0/24", "2001:db8::/48"), ()])
def test_operators_are_never_banned(operators: tuple[str, ...]) -> None:
    text = files(values(with_crowdsec(), Intrusion(), operators))[f"{HUB}/parsers/s02-enrich/operators.yaml"]
    assert yaml.safe_load(text)["whitelist"].get("cidr", []) == list(operators)


def test_gateway_and_crowdsec_agree_on_where_they_meet() -> None:
    topology = with_crowdsec()
    stack = settings(cloud_stack())
    given = gateway.values(topology, stack.gateway, stack.operators.networks, tunnelled=True)
    own = values(topology, Intrusion(), ())
    assert given.crowdsec is not None
    meeting = topology.network("link-gateway-crowdsec").members["crowdsec"]
    assert given.crowdsec.syslog == own.syslog == f"{meeting}:5514"
    assert str(given.crowdsec.port) == own.listen.rpartition(":")[2]
    assert given.crowdsec.host == str(meeting)


def test_without_crowdsec_the_gateway_sends_nothing_anywhere() -> None:
    stack = settings(cloud_stack())
    topology = with_crowdsec()
    without = replace(topology, networks=tuple(net for net in topology.networks if net.server != "crowdsec"))
    given = gateway.values(without, stack.gateway, (), tunnelled=True)
    assert given.crowdsec is None
    assert "access_log syslog" not in gateway.files(given)[f"{gateway.CONFIG}/log.conf"]


def test_every_scenario_bans_by_the_visitors_address() -> None:
    scenarios = [yaml.safe_load(text) for path, text in rendered().items() if path.startswith(f"{HUB}/scenarios/")]
    assert len(scenarios) == 10
    for scenario in scenarios:
        assert scenario["groupby"] == "evt.Meta.source_ip"
        assert scenario["labels"]["remediation"] is True
        assert 'log_type == "gateway"' in scenario["filter"]
