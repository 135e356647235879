"""The look from outside, at a stack that a test has spoiled."""

from collections.abc import Callable
from typing import Any

from ops.audit.result import Result
from ops.audit.table import CHECKS
from ops.audit.web import Answer
from tests.ops.audit.stand import ACCOUNT, TUNNELS, Stand, site

Spoil = Callable[[Stand], None]
Spoiled = tuple[Spoil, set[str], str]
"""What spoils a stack, the checks that do not pass then, and no others, and words of their evidence."""
OUTSIDE = (
    "tcp-scan",
    "udp-scan",
    "provider-firewall",
    "private-networks",
    "dns-zone",
    "dns-outside",
    "tls",
    "tls-termination",
    "https-redirect",
    "security-headers",
    "admin-invisible",
    "access",
    "tunnels",
    "tunnel-ingress",
    "tunnel-alert",
)


def measured(given: Stand) -> dict[str, Result]:
    live = given.live()
    return {check.id: check.run(live) for check in CHECKS if check.id in OUTSIDE}


def is_found(given: Stand, spoiled: Spoiled) -> None:
    """What is wrong fails the checks, and no others."""
    spoil, failing, words = spoiled
    spoil(given)
    found = measured(given)
    assert {check for check, result in found.items() if result.verdict == "fail"} == failing, found
    assert any(words in line for check in failing for line in found[check].evidence), [found[c] for c in failing]


def is_no_pass(given: Stand, spoiled: Spoiled) -> None:
    """What cannot be looked at is not measured, and everything else passes."""
    spoil, checks, words = spoiled
    spoil(given)
    found = measured(given)
    assert {check for check, result in found.items() if result.verdict != "pass"} == checks, found
    assert {found[check].verdict for check in checks} == {"not measured"}, found
    assert any(words in line for check in checks for line in found[check].evidence), [found[c] for c in checks]


def body(given: Stand, key: str) -> Any:
    return given.answers[key][1]


def ingress(given: Stand, role: str) -> Any:
    path = f"GET /accounts/{ACCOUNT}/cfd_tunnel/{TUNNELS[role]}/configurations"
    return body(given, path)["result"]["config"]["ingress"]


def answering(change: Callable[[str, str, bool, Answer], Answer]) -> Spoil:
    def spoiled(host: str, path: str, plain: bool) -> Answer:
        return change(host, path, plain, site(host, path, plain))

    def spoil(given: Stand) -> None:
        given.sites.append(spoiled)

    return spoil
