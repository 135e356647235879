"""The simulated Cloudflare's notifications, by Cloudflare's own client."""

from typing import Any

from tests.simulators.cloudflare.client import ACCOUNT, new_alert, refused


def test_a_notification_is_made_changed_and_deleted(client: Any) -> None:
    policies, made = client.alerting.policies, new_alert(client)
    assert policies.get(made.id, account_id=ACCOUNT).mechanisms.email[0].id == "someone@example.org"
    policies.update(made.id, account_id=ACCOUNT, name="other", **_alert_fields())
    assert policies.get(made.id, account_id=ACCOUNT).name == "other"
    policies.delete(made.id, account_id=ACCOUNT)
    assert list(policies.list(account_id=ACCOUNT)) == []


def _alert_fields() -> dict[str, Any]:
    return {"alert_type": "tunnel_health_event", "mechanisms": {"email": [{"id": "other@example.org"}]}}


def test_a_notification_that_goes_nowhere_is_refused(client: Any) -> None:
    with refused(1004):
        new_alert(client, mechanisms={})
    with refused(1004):
        new_alert(client, alert_type="no_such_event")
