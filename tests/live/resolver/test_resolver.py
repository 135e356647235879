"""What the real unbound answers and asks, with the files as rendered."""

import re

import pytest

from components.resolver.component import HEALTH_COMMAND
from components.resolver.names import Record, nodes, records
from tests.live.resolver.stand import Stand, running, stack
from tests.samples import settings
from topology.plan import plan

TOPOLOGY = plan(settings(stack()))
TYPES = ("A", "AAAA", "MX", "TXT", "HTTPS", "DS", "SOA", "ANY")
UNKNOWN = ("nothing.internal", "a.b.c.internal", "PostGres.Api.InterNal", "internal")
PUBLIC = "public.example.net"


def test_unbound_has_nothing_to_say_about_the_configuration(stand: Stand) -> None:
    checked = stand.namespace.run("unbound-checkconf", f"{stand.folder}/config/unbound.conf")
    assert (checked.returncode, checked.stderr) == (0, "")
    assert checked.stdout.startswith("unbound-checkconf: no errors")


def test_its_health_check_asks_it_and_fails_where_nothing_answers(stand: Stand) -> None:
    name = HEALTH_COMMAND[-1]
    assert stand.namespace.run("drill", *HEALTH_COMMAND[1:]).returncode == 0
    assert stand.ask(name, server="127.0.0.1").records == ("10.128.0.2",)
    assert stand.namespace.run("drill", "@127.0.0.9", name).returncode != 0


@pytest.mark.parametrize("record", records(TOPOLOGY), ids=lambda record: record.name)
def test_every_address_has_a_name_that_answers_forward_and_reverse(stand: Stand, record: Record) -> None:
    assert stand.ask(record.name).records == (str(record.address),)
    assert stand.reverse(str(record.address)).records == (f"{record.name}.",)


@pytest.mark.parametrize("record", nodes(TOPOLOGY), ids=lambda record: f"{record.name}-{record.address}")
def test_a_nodes_name_has_all_its_addresses(stand: Stand, record: Record) -> None:
    assert str(record.address) in stand.ask(record.name).records
    assert str(record.address) in stand.ask(record.name.removesuffix(".internal")).records


def test_what_is_not_listed_does_not_exist(stand: Stand) -> None:
    assert stand.ask("nothing.internal").status == "NXDOMAIN"
    assert stand.reverse("10.128.77.77").status == "NXDOMAIN"


def test_other_names_are_asked_for_and_validated(stand: Stand) -> None:
    answer = stand.ask(PUBLIC)
    assert (answer.status, answer.records, answer.authentic) == ("NOERROR", ("203.0.113.10",), True)


def test_a_service_that_is_called_like_a_public_zone_does_not_hide_it(stand: Stand) -> None:
    assert "api" in TOPOLOGY.nodes
    assert stand.ask("shop.api").records == ("203.0.113.40",)


def emptied(_text: str) -> str:
    return ""


def ask_for_internal_names(stand: Stand) -> None:
    for record in (*records(TOPOLOGY), *nodes(TOPOLOGY)):
        stand.ask(record.name)
        stand.reverse(str(record.address))
    for name in UNKNOWN:
        for kind in TYPES:
            stand.ask(name, kind)
    for node in TOPOLOGY.nodes.values():
        if node.addresses:
            stand.ask(node.name)
            stand.ask(node.name, "AAAA")
    stand.reverse("10.128.77.77")
    stand.reverse("10.255.255.254")


def leaked(stand: Stand) -> list[str]:
    """Questions that reached the stand-in and are none of its business."""
    bare = [f" {node}. " for node in TOPOLOGY.nodes]
    private = ("internal. ", ".arpa. ", *bare)
    lines = [line for line in stand.asked.splitlines() if " info: " in line]
    # Whether the root delegates `internal` is the root's to say, and tells nothing of what is below.
    return [line for line in lines if any(name in line for name in private) and " internal. ds" not in line]


def test_no_internal_name_leaves(stand: Stand) -> None:
    ask_for_internal_names(stand)
    stand.ask(PUBLIC)
    assert leaked(stand) == []
    assert PUBLIC in stand.asked


def test_without_its_zones_internal_names_would_leave() -> None:
    with running(spoiled={"names.conf": emptied}) as stand:
        ask_for_internal_names(stand)
        found = "\n".join(leaked(stand))
    assert "cloudflared.egress.internal." in found
    assert " resolver. " in found


def test_a_listed_name_and_all_below_it_do_not_exist_and_are_not_asked_for(stand: Stand) -> None:
    for name in ("tracker.example.net", "ads.tracker.example.net", "exact.example.net"):
        assert stand.ask(name).status == "NXDOMAIN"
    assert "ads.tracker.example.net" not in stand.asked


def test_an_exception_resolves_below_a_listed_name(stand: Stand) -> None:
    assert stand.ask("fine.tracker.example.net").records == ("203.0.113.32",)


def test_without_a_list_the_name_resolves() -> None:
    with running() as stand:
        assert stand.ask("ads.tracker.example.net").records == ("203.0.113.31",)


@pytest.mark.parametrize("forged", ["authority", "name"])
def test_an_upstream_without_the_right_certificate_is_not_asked(forged: str) -> None:
    with running(forged=forged) as stand:
        assert stand.ask(PUBLIC).status == "SERVFAIL"
        assert PUBLIC not in stand.asked
        assert "certificate verify failed" in stand.log


def test_without_a_pinned_name_any_valid_certificate_would_do() -> None:
    def unpinned(text: str) -> str:
        return re.sub(r"(@853)#\S+", r"\1", text)

    with running(forged="name", spoiled={"upstream.conf": unpinned}) as stand:
        assert stand.ask(PUBLIC).records == ("203.0.113.10",)


REBINDING = [
    ("rebind.example.net", "A"),
    ("loopback.example.net", "A"),
    ("metadata.example.net", "A"),
    ("mapped.example.net", "AAAA"),
]


@pytest.mark.parametrize(("name", "kind"), REBINDING)
def test_a_name_from_outside_never_points_inside(stand: Stand, name: str, kind: str) -> None:
    assert stand.ask(name, kind).records == ()


def test_without_the_guard_it_would() -> None:
    with running(spoiled={"rebinding.conf": emptied}) as stand:
        assert all(stand.ask(name, kind).records for name, kind in REBINDING)


def test_a_record_that_was_changed_on_the_way_is_refused(stand: Stand) -> None:
    assert stand.ask("tampered.example.net").status == "SERVFAIL"
    assert stand.ask("tampered.example.net", "A", None, "+cdflag").records == ("203.0.113.21",)


def test_it_answers_to_the_egress_network_alone(stand: Stand) -> None:
    assert stand.ask(PUBLIC, "A", None, "-b", "10.128.0.4").status == "NOERROR"
    assert stand.ask(PUBLIC, "A", None, "-b", "192.0.2.9").status == "REFUSED"
    assert stand.ask("postgres.internal", "A", None, "-b", "192.0.2.9").status == "REFUSED"


@pytest.mark.parametrize("name", ["version.bind", "version.server", "hostname.bind", "id.server"])
def test_it_does_not_say_what_it_is(stand: Stand, name: str) -> None:
    assert stand.ask(name, "TXT", None, "-c", "CH").status == "REFUSED"


def test_its_log_has_counts_and_no_names(stand: Stand) -> None:
    stand.ask(PUBLIC)
    stand.ask("tampered.example.net")
    assert "start of service" in stand.log
    assert "example.net" not in stand.log


def test_its_counts_can_be_read() -> None:
    with running() as stand:
        stand.ask(PUBLIC)
        config = str(stand.folder / "config/unbound.conf")
        counts = stand.namespace.run("unbound-control", "-c", config, "stats_noreset").stdout
    assert "total.num.queries=1\n" in counts
    assert "num.answer.rcode.NOERROR=1\n" in counts
