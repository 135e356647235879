"""The audit's look from outside as a whole: a stack as it should be passes, and every check is seen failing."""

import pytest

from ops.audit.table import CHECKS
from tests.ops.audit.checks import test_admin, test_front, test_names, test_perimeter, test_tunnel
from tests.ops.audit.outside import OUTSIDE, Spoiled, body, is_no_pass, measured
from tests.ops.audit.stand import Stand

UNMEASURED: dict[str, Spoiled] = {
    "somebody else's server": (
        lambda given: body(given, "GET /servers/42")["server"].update(labels={"zero-exposure": "prod"}),
        {"tcp-scan", "udp-scan", "provider-firewall", "private-networks", "dns-zone", "dns-outside"},
        "server 42 is not labelled zero-exposure=dev: it is left alone",
    ),
    "an output that is not there": (
        lambda given: given.outputs.pop("serverId"),
        {"tcp-scan", "udp-scan", "provider-firewall", "private-networks", "dns-zone", "dns-outside"},
        "the stack has no output serverId",
    ),
}


def test_a_stack_as_it_should_be_passes_every_check(clean: Stand) -> None:
    found = measured(clean)
    assert {name: result for name, result in found.items() if result.verdict != "pass"} == {}
    assert set(found) == set(OUTSIDE)


def test_every_check_from_outside_is_seen_failing() -> None:
    tables = (test_perimeter.BROKEN, test_names.BROKEN, test_front.BROKEN, test_admin.BROKEN, test_tunnel.BROKEN)
    spoiled = [each for table in tables for each in table.values()]
    assert set().union(*(failing for _, failing, _ in spoiled)) == set(OUTSIDE)


@pytest.mark.parametrize("name", UNMEASURED)
def test_what_cannot_be_looked_at_is_no_pass(clean: Stand, name: str) -> None:
    is_no_pass(clean, UNMEASURED[name])


def test_no_token_is_no_pass(clean: Stand) -> None:
    live = clean.live()
    live.hetzner_api = live.cloudflare_api = None
    found = {check.id: check.run(live).verdict for check in CHECKS if check.id in OUTSIDE}
    asking = {"provider-firewall", "dns-zone", "dns-outside", "tls-termination", "access", "tunnels", "tunnel-alert"}
    assert {found[check] for check in asking} == {"not measured"}
