"""Items, metrics and layers follow from what was measured; what was not measured is never a pass."""

from datetime import UTC, datetime
from typing import cast

import pytest

from ops.audit.report import Report
from ops.audit.result import Check, NotMeasuredError, Result, Verdict
from ops.audit.score import DECISIVE, LAYERS, Row, checklist, metrics
from ops.audit.table import CHECKS
from policy.rules.score import LAYERS as PLANNED
from tests.ops.audit.stand import STACK
from tests.test_docs import ROOT, _anchors

IDS = [check.id for check in CHECKS]
VALUES = {"tcp-scan": 0, "udp-scan": 0, "published-ports": 0, "tls-termination": 1, "tunnel-ingress": 100}


def _results(**verdicts: str) -> dict[str, Result]:
    """All passed, but for those given; underscores stand for hyphens."""
    given = {name.replace("_", "-"): verdict for name, verdict in verdicts.items()}
    found: dict[str, Result] = {}
    for each in IDS:
        verdict = cast("Verdict", given.get(each, "pass"))
        found[each] = Result(verdict, ("seen",), VALUES.get(each) if verdict == "pass" else None)
    return found


def _row(rows: list[Row], begin: str) -> Row:
    return next(row for row in rows if row.name.startswith(begin))


def test_where_everything_passes_so_does_every_item_and_every_metric() -> None:
    rows = [*checklist(CHECKS, _results()), *metrics(_results())]
    assert len(rows) == 14
    assert {row.verdict for row in rows} == {"pass"}


@pytest.mark.parametrize("verdict", ["fail", "not measured"])
@pytest.mark.parametrize("check", [check for check in CHECKS if check.items], ids=lambda check: check.id)
def test_one_check_takes_the_pass_from_its_items(check: Check, verdict: Verdict) -> None:
    rows = checklist(CHECKS, _results(**{check.id: verdict}))
    changed = {int(row.name.partition(".")[0]) for row in rows if row.verdict != "pass"}
    assert changed == set(check.items)
    assert {row.verdict for row in rows} == {"pass", verdict}


def test_a_failure_counts_more_than_what_was_not_measured() -> None:
    rows = checklist(CHECKS, _results(tcp_scan="not measured", provider_firewall="fail"))
    assert (_row(rows, "1.").verdict, _row(rows, "1.").because) == ("fail", ("provider-firewall",))


@pytest.mark.parametrize("number", DECISIVE)
def test_an_item_whose_decisive_check_does_not_apply_is_no_pass(number: int) -> None:
    for decisive in DECISIVE[number]:
        rows = checklist(CHECKS, _results(**{decisive: "not applicable"}))
        assert _row(rows, f"{number}.").verdict == "not applicable"


def test_every_item_has_checks_and_its_decisive_ones_are_among_them() -> None:
    for number, decisive in DECISIVE.items():
        assert set(decisive) <= {check.id for check in CHECKS if number in check.items}
    assert sorted(DECISIVE) == list(range(1, 11))


def test_layers_are_those_of_the_exposure_score_and_rest_on_checks() -> None:
    assert set(LAYERS) == set(PLANNED)
    assert {each for asked in LAYERS.values() for each in asked} <= set(IDS)


def test_every_check_names_a_threat_that_is_described() -> None:
    assert {check.threat for check in CHECKS} - _anchors(ROOT / "docs/threat-model.md") == set()


def test_no_two_checks_share_an_id() -> None:
    assert len(set(IDS)) == len(IDS)


@pytest.mark.parametrize(
    ("check", "value", "metric"),
    [
        ("tcp-scan", 1, "open"),
        ("published-ports", 2, "open"),
        ("tls-termination", 2, "TLS"),
        ("tunnel-ingress", 50, "c"),
    ],
)
def test_a_metric_that_is_not_as_wanted_fails(check: str, value: int, metric: str) -> None:
    results = {**_results(), check: Result("fail", ("seen",), value)}
    assert _row(metrics(results), metric).verdict == "fail"


@pytest.mark.parametrize(
    ("check", "metric"),
    [("tcp-scan", "open"), ("udp-scan", "open"), ("tls-termination", "TLS"), ("tunnel-ingress", "centralised")],
)
def test_a_metric_that_could_not_be_counted_is_no_pass(check: str, metric: str) -> None:
    assert _row(metrics(_results(**{check: "not measured"})), metric).verdict == "not measured"


def test_four_layers_are_too_few() -> None:
    gone = dict.fromkeys(("tls", "tunnels", "access", "networks", "isolation"), "fail")
    assert _row(metrics(_results(**gone)), "independent").verdict == "fail"


def test_layers_that_could_not_be_looked_at_do_not_count() -> None:
    gone = dict.fromkeys(("tls", "tunnels", "access", "networks", "isolation"), "not measured")
    row = _row(metrics(_results(**gone)), "independent")
    assert (row.verdict, row.shown.split()[0]) == ("not measured", "4")


def test_what_only_the_cloud_has_does_not_apply_to_a_local_stack() -> None:
    inside = {"published-ports", "one-gateway", "networks", "isolation", "resolver", "containers", "images", "digests"}
    inside |= {"files", "intrusion", "security-headers"}
    results = _results(**{each: "not applicable" for each in IDS if each not in inside})
    assert [row.verdict for row in metrics(results)] == ["pass", "not applicable", "not applicable", "not applicable"]
    assert [int(row.name.partition(".")[0]) for row in checklist(CHECKS, results) if row.verdict == "pass"] == [
        1, 3, 4, 6, 7, 8, 9,
    ]  # fmt: skip


def _report(**verdicts: str) -> Report:
    return Report(STACK, "cloud", datetime(2026, 1, 1, tzinfo=UTC), CHECKS, _results(**verdicts))


def test_the_exit_code_is_1_on_a_failure_and_where_asked_also_on_what_was_not_measured() -> None:
    assert _report().exit_code(strict=True) == 0
    assert _report(tls="fail").exit_code(strict=False) == 1
    assert _report(tls="not measured").exit_code(strict=False) == 0
    assert _report(tls="not measured").exit_code(strict=True) == 1
    assert _report(alerts="not applicable").exit_code(strict=True) == 0


def _raising(error: Exception) -> Check:
    def measure(_live: object) -> Result:
        raise error

    return Check("x", (), "claim", "edge", "remedy", measure)


@pytest.mark.parametrize("error", [NotMeasuredError("why"), KeyError("servers"), ValueError("why"), OSError("why")])
def test_a_check_that_cannot_finish_is_not_measured(error: Exception) -> None:
    result = _raising(error).run(None)  # type: ignore[arg-type] # it does not look
    assert result.verdict == "not measured"
    assert ("why" if "why" in str(error) else "KeyError") in result.evidence[0]
