"""The simulated Cloudflare's zones, by Cloudflare's own client."""

from typing import Any

import cloudflare

from simulators.cloudflare.app import Site, api
from tests.simulators.cloud import running
from tests.simulators.cloudflare.client import ACCOUNT, ZONE, new_client, refused


def test_a_zone_setting_is_read_and_changed(client: Any) -> None:
    assert client.zones.settings.get("ssl", zone_id=ZONE).value == "full"
    assert client.zones.settings.edit("ssl", zone_id=ZONE, value="strict").value == "strict"
    assert client.zones.settings.get("ssl", zone_id=ZONE).value == "strict"
    with refused(1007):
        client.zones.settings.edit("min_tls_version", zone_id=ZONE, value="0.9")
    with refused(1006):
        client.zones.settings.get("no_such_setting", zone_id=ZONE)


def test_hsts_of_another_spelling_is_ignored_without_a_word(client: Any) -> None:
    other = {"strict_transport_security": {"maxAge": 5, "enabled": True}}
    value = client.zones.settings.edit("security_header", zone_id=ZONE, value=other).value.strict_transport_security
    assert (value.enabled, value.max_age) == (True, 0)


def test_bots_are_what_the_plan_has(client: Any) -> None:
    update = client.bot_management.update
    assert update(zone_id=ZONE, crawler_protection="enabled").crawler_protection == "enabled"
    assert client.bot_management.get(zone_id=ZONE).fight_mode is False
    with refused(0):
        update(zone_id=ZONE, sbfm_verified_bots="allow")
    with running(api([Site(ACCOUNT, ZONE, "example.org", "example", "pro")])) as paid:
        paid_update = new_client(paid).bot_management.update
        assert paid_update(zone_id=ZONE, sbfm_verified_bots="block").sbfm_verified_bots == "block"
        with refused(0):
            paid_update(zone_id=ZONE, fight_mode=True)


def test_signatures_stay_pending_until_the_registrar_has_the_key(client: Any) -> None:
    assert client.dns.dnssec.edit(zone_id=ZONE, status="active").status == "pending"
    assert client.dns.dnssec.get(zone_id=ZONE).ds.startswith("example.org. 3600 IN DS")
    client.dns.dnssec.delete(zone_id=ZONE)
    assert client.dns.dnssec.get(zone_id=ZONE).status == "disabled"


def test_the_zone_is_there_and_another_is_not(client: Any) -> None:
    assert client.zones.get(zone_id=ZONE).name == "example.org"
    with refused(7003, cloudflare.NotFoundError):
        client.zones.get(zone_id="c" * 32)
    with refused(7003, cloudflare.NotFoundError):
        _client_of_another_account(client)


def _client_of_another_account(client: Any) -> None:
    client.zero_trust.tunnels.cloudflared.create(account_id="c" * 32, name="app")
