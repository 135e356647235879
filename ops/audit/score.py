"""The model's ten items and four metrics, made of what the checks measured."""

from collections.abc import Mapping
from dataclasses import dataclass

from ops.audit.result import Check, Result, Verdict, worst
from policy.rules.checklist import ITEMS
from policy.rules.score import MIN_LAYERS

Results = Mapping[str, Result]
"""Check id → what it found."""
DECISIVE: Mapping[int, tuple[str, ...]] = {
    1: ("published-ports",),
    2: ("connector",),
    3: ("one-gateway",),
    4: ("networks", "isolation"),
    5: ("tls", "https-redirect"),
    6: ("security-headers",),
    7: ("intrusion",),
    8: ("resolver",),
    9: ("containers", "files"),
    10: ("alerts",),
}
"""Item → checks without which it is no pass, however the others end: where one is not applicable, so is the item."""
LAYERS: Mapping[str, tuple[str, ...]] = {
    "edge": ("tls", "https-redirect", "tls-termination"),
    "tunnel": ("tunnels", "tunnel-ingress"),
    "perimeter firewall": ("provider-firewall",),
    "hardened host": ("host-filter", "host-drift"),
    "identity": ("access",),
    "network isolation": ("networks",),
    "gateway": ("one-gateway",),
    "container isolation": ("isolation",),
    "intrusion detection": ("intrusion",),
}
"""Layer of the model → checks that show that it holds. The names are those of the exposure score."""


@dataclass(frozen=True)
class Row:
    """An item or a metric. ``shown`` is the metric's value; ``because`` names the checks that decided."""

    name: str
    verdict: Verdict
    shown: str
    because: tuple[str, ...]


def checklist(checks: tuple[Check, ...], results: Results) -> list[Row]:
    """The ten items."""
    return [_item(item.number, item.text, checks, results) for item in ITEMS]


def _item(number: int, text: str, checks: tuple[Check, ...], results: Results) -> Row:
    asked = [check.id for check in checks if number in check.items]
    verdict = worst([results[each].verdict for each in asked])
    if verdict == "pass" and any(results[each].verdict == "not applicable" for each in DECISIVE[number]):
        verdict = "not applicable"
    because = [each for each in asked if results[each].verdict == verdict]
    return Row(f"{number}. {text}", verdict, "", tuple(because))


def metrics(results: Results) -> list[Row]:
    """The four metrics."""
    return [
        _counted("open inbound ports", results, ("tcp-scan", "udp-scan", "published-ports"), 0),
        _layers(results),
        _counted("TLS termination points", results, ("tls-termination",), 1),
        _counted("centralised ingress, in percent", results, ("tunnel-ingress",), 100),
    ]


def _counted(name: str, results: Results, asked: tuple[str, ...], wanted: int) -> Row:
    """The sum of what the checks counted. What was counted and is wrong fails, even where the rest was not measured."""
    found = [results[each] for each in asked if results[each].verdict != "not applicable"]
    counts = [result.value for result in found if result.value is not None]
    verdict: Verdict = "not measured" if len(counts) < len(found) else "pass" if found else "not applicable"
    if counts and sum(counts) != wanted and not (verdict == "not measured" and sum(counts) < wanted):
        verdict = "fail"
    return Row(name, verdict, f"{sum(counts)} (wanted: {wanted})" if counts else "", asked)


def _layers(results: Results) -> Row:
    holding = [name for name, asked in LAYERS.items() if all(results[each].verdict == "pass" for each in asked)]
    unclear = [
        name for name, asked in LAYERS.items() if worst([results[each].verdict for each in asked]) == "not measured"
    ]
    shown = f"{len(holding)} ({MIN_LAYERS} or more): {', '.join(holding)}"
    if results["provider-firewall"].verdict == "not applicable":
        return Row("independent security layers", "not applicable", shown, ())
    verdict: Verdict = "pass" if len(holding) >= MIN_LAYERS else "fail"
    if verdict == "fail" and len(holding) + len(unclear) >= MIN_LAYERS:
        verdict = "not measured"
    return Row("independent security layers", verdict, shown, tuple(each for name in unclear for each in LAYERS[name]))
