"""What no check can measure is no pass."""

from ops.audit import gather
from ops.audit.engine import Engine
from ops.audit.live import Live
from ops.audit.table import CHECKS
from tests.ops.audit.inside import Answering, measured
from tests.ops.audit.stand import ROOT
from tests.samples import local_stack, settings
from topology.plan import plan


def test_a_server_that_does_not_answer_is_no_pass(behind_ssh: Answering) -> None:
    for check in ("host-drift", "host-filter", "published-ports", "containers", "intrusion"):
        result = measured(behind_ssh(), check)
        assert (result.verdict, "does not answer by SSH" in result.evidence[0]) == ("not measured", True), check


def test_nothing_of_the_cloud_applies_to_a_local_stack() -> None:
    given = settings(local_stack())
    recording = gather.program(ROOT, "local")
    live = Live("local", given, plan(given), recording, {"gateway": "http://192.0.2.1:1"}, Engine(docker=("false",)))
    found = {check.id: check.run(live).verdict for check in CHECKS}
    inside = {"published-ports", "one-gateway", "networks", "isolation", "resolver", "containers", "images", "digests"}
    measured = inside | {"files", "intrusion", "security-headers"}
    assert {check for check, verdict in found.items() if verdict != "not applicable"} - {"alerts"} == measured
    assert {found[check] for check in measured} == {"not measured"}
