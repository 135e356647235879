"""The form of the simulated Cloudflare's answers and refusals, whatever is asked for."""

from tests.simulators.cloud import Cloud
from tests.simulators.cloudflare.client import ACCOUNT, ZONE, raw


def test_every_answer_has_the_envelope(cloud: Cloud) -> None:
    good = raw(cloud, "GET", f"/zones/{ZONE}/dns_records").json()
    assert set(good) == {"result", "success", "errors", "messages", "result_info"}
    assert set(good["result_info"]) == {"page", "per_page", "count", "total_count", "total_pages"}
    for bad in (raw(cloud, "GET", "/nothing"), raw(cloud, "POST", f"/zones/{ZONE}/dns_records", data="{")):
        assert bad.json()["success"] is False
        assert bad.json()["result"] is None
        assert set(bad.json()["errors"][0]) == {"code", "message"}


def test_a_field_that_is_not_simulated_is_refused_and_not_swallowed(cloud: Cloud) -> None:
    done = raw(cloud, "POST", f"/accounts/{ACCOUNT}/cfd_tunnel", json={"name": "app", "colour": "red"})
    assert done.status_code == 400
    assert "colour" in done.text
