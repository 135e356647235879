"""DNS, spoiled in each way: what the zone holds, and what names lead to from outside."""

from typing import Any

import pytest

from ops.audit.table import CHECKS
from tests.ops.audit.outside import Spoil, Spoiled, body, is_found, is_no_pass, measured
from tests.ops.audit.stand import ADMIN, API, EDGE4, ORIGIN4, ORIGIN6, SSH, TUNNELS, ZONE, Stand, records


def _record(**record: Any) -> Spoil:
    def spoil(given: Stand) -> None:
        given.answers[f"GET /zones/{ZONE}/dns_records"] = (200, {"result": [*records(), record]})

    return spoil


def _unproxied(given: Stand) -> None:
    found = records()
    found[0]["proxied"] = False
    given.answers[f"GET /zones/{ZONE}/dns_records"] = (200, {"result": found})


def _no_record(given: Stand) -> None:
    kept = [record for record in records() if record["name"] not in (SSH, "*.example.org")]
    given.answers[f"GET /zones/{ZONE}/dns_records"] = (200, {"result": kept})


def _leaking_name(given: Stand) -> None:
    given.names[SSH] = (EDGE4, ORIGIN4)


BROKEN: dict[str, Spoiled] = {
    "a record with the address": (
        _record(name="old.example.org", type="A", content=ORIGIN4, proxied=True),
        {"dns-zone"},
        f"old.example.org: A record shows the server's address {ORIGIN4}",
    ),
    "a record with the address in other letters": (
        _record(name="old.example.org", type="AAAA", content="2001:DB8:7:0:0:0:0:1", proxied=False),
        {"dns-zone"},
        f"AAAA record shows the server's address {ORIGIN6}",
    ),
    "SPF with the address": (
        _record(name="example.org", type="TXT", content=f'"v=spf1 ip4:{ORIGIN4} -all"'),
        {"dns-zone"},
        "TXT record shows",
    ),
    "SPF with the address's network": (
        _record(name="example.org", type="TXT", content='"v=spf1 ip6:2001:db8:7::/64 -all"'),
        {"dns-zone"},
        "TXT record shows",
    ),
    "an internal name": (
        _record(name="db.example.org", type="A", content="10.128.0.9"),
        {"dns-zone"},
        "private address",
    ),
    "a record that is not proxied": (_unproxied, {"dns-zone"}, f"{API}: not proxied"),
    "a name without a record": (_no_record, {"dns-zone"}, f"{SSH}: the zone has no record"),
    "a name that leads elsewhere": (
        _record(name=ADMIN, type="A", content="203.0.113.9", proxied=True),
        {"dns-zone"},
        f"{ADMIN}: A record does not lead to a tunnel",
    ),
    "an admin host by name": (
        _record(name=ADMIN, type="CNAME", content=f"{TUNNELS['app']}.cfargotunnel.com", proxied=True),
        {"dns-zone"},
        f"{ADMIN}: an admin host is listed by name",
    ),
    "a name that resolves to the server": (_leaking_name, {"dns-outside"}, f"{SSH} resolves to"),
}

UNMEASURED: dict[str, Spoiled] = {
    "a token that may not read": (
        lambda given: given.answers.update({f"GET /zones/{ZONE}/dns_records": (403, {})}),
        {"dns-zone", "dns-outside"},
        "the API does not say",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_found(clean: Stand, name: str) -> None:
    is_found(clean, BROKEN[name])


@pytest.mark.parametrize("name", UNMEASURED)
def test_what_cannot_be_looked_at_is_no_pass(clean: Stand, name: str) -> None:
    is_no_pass(clean, UNMEASURED[name])


def test_a_former_name_is_asked_for(clean: Stand) -> None:
    live = clean.live()
    edge = live.settings.edge.model_copy(update={"former_names": ("www.example.net",)})
    live.settings = live.settings.model_copy(update={"edge": edge})
    clean.names["www.example.net"] = (ORIGIN4,)
    result = next(check for check in CHECKS if check.id == "dns-outside").run(live)
    assert result.verdict == "fail"
    assert f"www.example.net resolves to the server's address {ORIGIN4}" in result.evidence


def test_every_page_of_a_long_list_is_read(clean: Stand) -> None:
    answer = body(clean, f"GET /zones/{ZONE}/dns_records")
    answer["result_info"]["total_pages"] = 3
    result = measured(clean)["dns-zone"]
    assert result.evidence[0] == f"{3 * len(records())} records in the zone, 3 names served"
