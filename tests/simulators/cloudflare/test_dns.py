"""The simulated Cloudflare's records, by Cloudflare's own client."""

from typing import Any

import cloudflare
import pytest

from tests.simulators.cloudflare.client import ZONE, new_record, refused


def test_a_record_is_made_changed_and_deleted(client: Any) -> None:
    record = new_record(client, comment="mine")
    assert (record.name, record.proxied, record.ttl, record.comment) == ("api.example.org", True, 1, "mine")
    changed = client.dns.records.update(
        record.id, zone_id=ZONE, name="www.example.org", type="A", content="192.0.2.1", ttl=300
    )
    assert (changed.id, changed.name, changed.content, changed.ttl) == (record.id, "www.example.org", "192.0.2.1", 300)
    edited = client.dns.records.edit(
        record.id, zone_id=ZONE, name="www.example.org", type="A", content="192.0.2.2", ttl=60
    )
    assert edited.content == "192.0.2.2"
    assert client.dns.records.delete(record.id, zone_id=ZONE).id == record.id
    with pytest.raises(cloudflare.NotFoundError):
        client.dns.records.get(record.id, zone_id=ZONE)


def test_a_cname_stands_alone(client: Any) -> None:
    new_record(client)
    with refused(81058):
        new_record(client)
    with refused(81053):
        new_record(client, content="other.cfargotunnel.com")
    with refused(81053):
        new_record(client, type="A", content="192.0.2.1")
    assert new_record(client, name="*.example.org").name == "*.example.org"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"name": "api.example.com"}, 9000),
        ({"type": "A", "content": "nowhere"}, 9005),
        ({"ttl": 5}, 1004),
        ({"type": "TXT"}, 1004),
    ],
)
def test_a_record_that_can_not_be_is_refused(client: Any, wrong: dict[str, Any], code: int) -> None:
    with refused(code):
        new_record(client, **wrong)


def test_records_have_pages(client: Any) -> None:
    for number in range(45):
        new_record(client, name=f"n{number}.example.org")
    assert len(list(client.dns.records.list(zone_id=ZONE))) == 45
    page = client.dns.records.list(zone_id=ZONE, page=3, per_page=20)
    assert len(page.result) == 5
    assert [record.name for record in client.dns.records.list(zone_id=ZONE, name={"exact": "n7.example.org"})] == [
        "n7.example.org"
    ]
