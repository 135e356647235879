"""What answers at the server's addresses, spoiled in each way."""

import pytest

from tests.ops.audit.outside import Spoiled, body, is_found, is_no_pass, measured
from tests.ops.audit.stand import API, EDGE4, ORIGIN4, ORIGIN6, Stand


def _open_port(given: Stand) -> None:
    given.scanner.open["tcp"] = (22,)


def _open_udp_port(given: Stand) -> None:
    given.scanner.open["udp"] = (53,)


def _unfiltered(given: Stand) -> None:
    given.scanner.closed = 3


def _inbound_rule(given: Stand) -> None:
    body(given, "GET /firewalls/7")["firewall"]["rules"].append({"direction": "in", "protocol": "tcp", "port": "22"})


def _no_firewall(given: Stand) -> None:
    body(given, "GET /servers/42")["server"]["public_net"]["firewalls"] = []


def _pending_firewall(given: Stand) -> None:
    body(given, "GET /servers/42")["server"]["public_net"]["firewalls"][0]["status"] = "pending"


def _private_network(given: Stand) -> None:
    body(given, "GET /servers/42")["server"]["private_net"] = [{"network": 9}]


BROKEN: dict[str, Spoiled] = {
    "an open port": (_open_port, {"tcp-scan"}, f"{ORIGIN4}: tcp open: 22"),
    "an open UDP port": (_open_udp_port, {"udp-scan"}, f"{ORIGIN6}: udp open: 53"),
    "ports that answer": (_unfiltered, {"tcp-scan", "udp-scan"}, "3 tcp ports answer that they are closed"),
    "an inbound rule": (_inbound_rule, {"provider-firewall"}, "firewall 7 lets in tcp 22"),
    "no firewall": (_no_firewall, {"provider-firewall"}, "no firewall is applied"),
    "a firewall that is not in force": (_pending_firewall, {"provider-firewall"}, "firewall 7 is pending"),
    "a private network": (_private_network, {"private-networks"}, "network 9, which no firewall filters"),
}

UNMEASURED: dict[str, Spoiled] = {
    "no way out to unusual ports": (
        lambda given: setattr(given, "dead_ports", (8443, 2053, 2087)),
        {"tcp-scan"},
        "from here no TCP gets out by IPv4 to unusual ports",
    ),
    "no UDP": (lambda given: setattr(given, "udp", False), {"udp-scan"}, "from here no UDP gets out"),
    "no IPv6 to try with": (
        lambda given: given.names.update({API: (EDGE4,)}),
        {"tcp-scan", "udp-scan"},
        "no public name has an IPv6 address to try the way out with",
    ),
    "a scan that was cut short": (
        lambda given: setattr(given.scanner, "tried", 100),
        {"tcp-scan", "udp-scan"},
        "only 100 ports were tried",
    ),
    "a server without an address": (
        lambda given: body(given, "GET /servers/42")["server"]["public_net"].update(ipv4=None, ipv6=None),
        {"tcp-scan", "udp-scan"},
        "the API names no public address of a server",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_found(clean: Stand, name: str) -> None:
    is_found(clean, BROKEN[name])


@pytest.mark.parametrize("name", UNMEASURED)
def test_what_cannot_be_looked_at_is_no_pass(clean: Stand, name: str) -> None:
    is_no_pass(clean, UNMEASURED[name])


def test_an_open_port_is_found_even_where_the_rest_could_not_be_tried(clean: Stand) -> None:
    clean.names[API] = (EDGE4,)
    clean.scanner.open["tcp"] = (22,)
    assert measured(clean)["tcp-scan"].verdict == "fail"
