"""The tunnels as Cloudflare has them, spoiled in each way."""

from typing import Any

import pytest

from tests.ops.audit.outside import Spoil, Spoiled, body, ingress, is_found
from tests.ops.audit.stand import ACCOUNT, API, SSH, TUNNELS, Stand


def _tunnel(path: str, key: str, value: Any) -> Spoil:
    def spoil(given: Stand) -> None:
        body(given, f"GET /accounts/{ACCOUNT}/cfd_tunnel/{TUNNELS['app']}{path}")[key] = value

    return spoil


def _second_connector(given: Stand) -> None:
    connectors = [{"id": one, "conns": [{}] * 4} for one in "ab"]
    _tunnel("/connections", "result", connectors)(given)


def _extra_rule(given: Stand) -> None:
    ingress(given, "admin").insert(0, {"hostname": "back.example.org", "service": "http://127.0.0.1:2375"})


def _missing_rule(given: Stand) -> None:
    del ingress(given, "app")[0]


def _unguarded(given: Stand) -> None:
    del ingress(given, "admin")[0]["originRequest"]


def _other_order(given: Stand) -> None:
    ingress(given, "app").reverse()


def _alert(**change: Any) -> Spoil:
    def spoil(given: Stand) -> None:
        body(given, f"GET /accounts/{ACCOUNT}/alerting/v3/policies")["result"][0].update(change)

    return spoil


BROKEN: dict[str, Spoiled] = {
    "a tunnel that is down": (
        _tunnel("", "result", {"status": "down", "config_src": "cloudflare"}),
        {"tunnels"},
        "app tunnel is down",
    ),
    "a tunnel configured elsewhere": (
        _tunnel("", "result", {"status": "healthy", "config_src": "local"}),
        {"tunnels"},
        "configured where its connector runs",
    ),
    "a second connector": (_second_connector, {"tunnels"}, "app tunnel has 2 connectors, not 1"),
    "a rule made by hand": (_extra_rule, {"tunnel-ingress"}, "back.example.org → http://127.0.0.1:2375 without Access"),
    "a rule taken away": (_missing_rule, {"tunnel-ingress"}, f"{API} → http://10.128.0.18:8080 without Access is mis"),
    "SSH without Access": (_unguarded, {"tunnel-ingress"}, f"{SSH} → ssh://127.0.0.1:22 without Access is not in"),
    "rules in another order": (_other_order, {"tunnel-ingress"}, "in another order"),
    "an alert that is off": (_alert(enabled=False), {"tunnel-alert"}, "nobody is told when tunnel 1"),
    "an alert for nobody": (_alert(mechanisms={"email": []}), {"tunnel-alert"}, "nobody is told when tunnel 2"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_found(clean: Stand, name: str) -> None:
    is_found(clean, BROKEN[name])
