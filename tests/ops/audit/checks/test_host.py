"""The host's own comparison and its packet filter."""

import json

from ops.audit.checks import host
from ops.preview.files import rendered
from ops.preview.run import preview
from tests.live.docker.engine import host_of
from tests.live.namespace import Namespace
from tests.ops.audit.inside import Answering, measured
from tests.ops.audit.stand import ROOT, STACK
from tests.programs import need, need_root


def test_the_hosts_own_comparison_decides(behind_ssh: Answering) -> None:
    assert measured(behind_ssh(systemctl=("", 0), journalctl=("", 0)), "host-drift").verdict == "pass"
    journal = "/etc/nftables.conf: FAILED\nsha256sum: WARNING: 1 computed checksum did NOT match"
    result = measured(behind_ssh(systemctl=("", 1), journalctl=(journal, 0)), "host-drift")
    assert (result.verdict, result.evidence[1:]) == ("fail", ("differs: /etc/nftables.conf",))
    assert measured(behind_ssh(systemctl=("", 1), journalctl=("", 0)), "host-drift").verdict == "fail"


def test_the_rendered_packet_filter_passes_and_any_weaker_one_does_not(behind_ssh: Answering) -> None:
    need("nft", "unshare", "nsenter")
    need_root()
    rules = host_of(rendered(preview(ROOT, STACK).recording)["host/user-data.yaml"]).firewall
    strict, weak = _listed(rules), _listed(rules.replace("hook forward priority filter; policy drop", "hook forward "
                                                         "priority filter; policy accept"))  # fmt: skip
    assert measured(behind_ssh(nft=(strict, 0)), "host-filter").verdict == "pass"
    result = measured(behind_ssh(nft=(weak, 0)), "host-filter")
    assert (result.verdict, result.evidence[1:]) == ("fail", ("forward: accept, not drop",))
    assert measured(behind_ssh(nft=("", 1)), "host-filter").verdict == "fail"


def _listed(rules: str) -> str:
    namespace = Namespace(())
    try:
        loaded = namespace.run("sh", "-c", f"nft -f - <<'END'\n{rules}\nEND")
        assert loaded.returncode == 0, loaded.stderr
        text = namespace.run("nft", "--json", "list", "table", "inet", host.TABLE).stdout
        assert json.loads(text)
        return text
    finally:
        namespace.close()
