"""Judgements on what the Engine and the server say, where no real one is needed to spoil them."""

import json
import stat
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from ops.audit import gather
from ops.audit.checks import admin, configuration, containers, host
from ops.audit.checks.admin import Pair, judge_pairs
from ops.audit.checks.intrusion import total
from ops.audit.engine import Engine, Machine
from ops.audit.live import Live
from ops.audit.result import Result
from ops.audit.table import CHECKS
from ops.audit.web import Answer
from ops.preview.files import rendered
from ops.preview.run import preview
from policy.rules.model import Resource
from tests.live.docker.engine import host_of
from tests.live.namespace import Namespace
from tests.ops.audit.stand import OUTPUTS, ROOT, STACK, program
from tests.programs import need, need_root
from tests.samples import cloud_stack, local_stack, service, settings
from topology.plan import plan

CLEAN: dict[str, Any] = {
    "Name": "/dev-api",
    "Image": "sha256:1",
    "Config": {"User": "1000:1000", "Labels": {"zero-exposure.role": "service", "zero-exposure.node": "api"}},
    "State": {"Running": True, "Status": "running"},
    "HostConfig": {"ReadonlyRootfs": True, "CapDrop": ["ALL"], "SecurityOpt": ["no-new-privileges:true"]},
    "Mounts": [{"Type": "volume", "Name": "v", "Destination": "/data", "RW": True}],
    "NetworkSettings": {"Networks": {}, "Ports": {"8080/tcp": None}},
}


def _container(**host_config: Any) -> dict[str, Any]:
    found = deepcopy(CLEAN)
    found["HostConfig"].update(host_config)
    return found


def test_a_closed_container_passes() -> None:
    assert containers.judge_isolation([CLEAN]).verdict == "pass"
    assert containers.judge_connectors([CLEAN]).verdict == "pass"
    assert containers.judge_published([CLEAN]).verdict == "pass"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"Privileged": True}, "is privileged"),
        ({"CapAdd": ["NET_ADMIN"]}, "has capabilities: NET_ADMIN"),
        ({"CapDrop": []}, "does not drop all capabilities"),
        ({"SecurityOpt": []}, "may gain privileges"),
        ({"SecurityOpt": ["no-new-privileges:true", "seccomp=unconfined"]}, "runs with seccomp=unconfined"),
        ({"SecurityOpt": ["no-new-privileges:true", "label=disable"]}, "runs with label=disable"),
        ({"PidMode": "host"}, "shares the host's Pid"),
        ({"IpcMode": "host"}, "shares the host's Ipc"),
        ({"UTSMode": "host"}, "shares the host's UTS"),
        ({"UsernsMode": "host"}, "shares the host's Userns"),
        ({"Devices": [{"PathOnHost": "/dev/mem"}]}, "has devices of the host"),
        ({"ReadonlyRootfs": False}, "has a writable root file system"),
    ],
)
def test_each_opening_of_a_container_is_found(options: dict[str, Any], words: str) -> None:
    assert f"dev-api: {words}" in containers.judge_isolation([_container(**options)]).evidence
    assert containers.judge_connectors([_container(**options)]).verdict == "fail"


@pytest.mark.parametrize("user", ["", "0", "0:0", "root", "root:1000"])
def test_root_needs_a_reason_and_a_connector_can_have_none(user: str) -> None:
    found = deepcopy(CLEAN)
    found["Config"]["User"] = user
    assert containers.judge_isolation([found]).verdict == "fail"
    found["Config"]["Labels"]["zero-exposure.root-reason"] = "prepares its data"
    assert containers.judge_isolation([found]).verdict == "pass"
    assert containers.judge_connectors([found]).verdict == "fail"


def test_a_carrier_is_never_started_and_has_no_capability_either() -> None:
    carrier = _container(ReadonlyRootfs=False)
    carrier["Config"] = {"User": "", "Labels": {"zero-exposure.role": "carrier"}}
    carrier["State"] = {"Running": False, "Status": "created"}
    assert containers.judge_isolation([carrier]).verdict == "pass"
    carrier["HostConfig"]["Privileged"] = True
    assert containers.judge_isolation([carrier]).verdict == "fail"
    carrier["HostConfig"]["Privileged"] = False
    carrier["State"]["Running"] = True
    assert containers.judge_isolation([carrier]).verdict == "fail"


@pytest.mark.parametrize(
    "options",
    [
        {"PublishAllPorts": True},
        {"NetworkMode": "host"},
        {"PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "80"}]}},
    ],
)
def test_each_way_to_publish_is_found(options: dict[str, Any]) -> None:
    result = containers.judge_published([_container(**options)])
    assert (result.verdict, result.value) == ("fail", 1)


def test_a_network_that_leads_out_against_the_plan_is_found() -> None:
    topology = plan(settings(cloud_stack()))
    networks = [
        {"Name": f"dev-{net.name}", "Internal": net.internal, "IPAM": {"Config": [{"Subnet": str(net.subnet)}]}}
        for net in topology.networks
    ]
    assert containers.judge_networks(networks, [], topology, STACK).verdict == "pass"
    networks[1]["Internal"] = False
    assert "dev-ingress has a way out, against the plan" in str(
        containers.judge_networks(networks, [], topology, STACK).evidence
    )
    networks[1]["IPAM"] = {"Config": [{"Subnet": "10.0.0.0/8"}]}
    assert "has subnet ['10.0.0.0/8']" in str(containers.judge_networks(networks, [], topology, STACK).evidence)
    assert "dev-ingress is missing" in str(
        containers.judge_networks(networks[:1] + networks[2:], [], topology, STACK).evidence
    )


def test_a_resolver_that_is_only_starting_is_no_pass() -> None:
    resolver = _container(Dns=["127.0.0.1"])
    resolver["Name"] = "/dev-resolver"
    resolver["State"]["Health"] = {"Status": "starting"}
    assert containers.judge_resolver([resolver], ["10.128.0.2"], ["dev-resolver"]).verdict == "not measured"
    resolver["State"]["Health"] = {"Status": "healthy"}
    assert containers.judge_resolver([resolver], ["10.128.0.2"], ["dev-resolver"]).verdict == "pass"


@pytest.mark.parametrize(
    ("have", "wanted", "same"),
    [
        ("postgres:17", "postgres:17", True),
        ("postgres:17", "docker.io/library/postgres:17", True),
        ("postgres:16", "postgres:17", False),
        ("postgres@sha256:a", "postgres:17@sha256:a", True),
        ("postgres@sha256:b", "postgres:17@sha256:a", False),
        ("postgres:17", "postgres:17@sha256:a", False),
        ("evil/postgres@sha256:a", "postgres@sha256:a", False),
    ],
)
def test_an_image_is_the_one_that_the_program_names(have: str, wanted: str, same: bool) -> None:
    assert (configuration.judge_images({"c": [have]}, {"c": wanted}).verdict == "pass") is same


def _labelled(name: str, digest: str) -> dict[str, Any]:
    return {"Name": f"/{name}", "Config": {"Labels": {"zero-exposure.config": digest}}}


def test_a_digest_that_is_not_the_programs_is_found() -> None:
    planned = {"dev-api": _declared("dev-api", [{"label": "zero-exposure.config", "value": "aa"}])}
    assert configuration.judge_digests([_labelled("dev-api", "aa")], planned).verdict == "pass"
    assert "dev-api: files of digest bb, the program's are aa" in (
        configuration.judge_digests([_labelled("dev-api", "bb")], planned).evidence
    )


def test_a_digest_with_secrets_has_to_be_that_of_the_carrier() -> None:
    planned = {"dev-api": _declared("dev-api", [{"label": "zero-exposure.config"}])}
    both = [_labelled("dev-api", "aa"), _labelled("dev-api-carrier", "aa")]
    assert configuration.judge_digests(both, planned).verdict == "pass"
    both = [_labelled("dev-api", "aa"), _labelled("dev-api-carrier", "bb")]
    assert "dev-api and its carrier have different files" in configuration.judge_digests(both, planned).evidence


def _declared(name: str, labels: list[dict[str, str]]) -> Resource:
    return Resource(
        type="docker:index/container:Container", name=name, urn=name, props={"name": name, "labels": labels}
    )


def test_files_with_secrets_are_not_compared_and_all_others_are() -> None:
    planned = configuration.planned_files(program())
    assert planned["dev-api"] == {"/run/secrets/database_url": None}
    known = [digest for files in planned.values() for digest in files.values() if digest]
    assert len(known) > 40
    found: dict[str, dict[str, str]] = {name: {path: value or "" for path, value in files.items()}
                                        for name, files in planned.items()}  # fmt: skip
    assert configuration.judge_files(found, planned).verdict == "pass"
    del found["dev-gateway"]["/etc/zero-exposure/gateway/nginx.conf"]
    assert configuration.judge_files(found, planned).verdict == "fail"


def _answer(status: int = 404, body: str = "", ray: str = "1", **headers: str) -> Answer:
    return Answer(status, {"content-type": "application/json", "cf-ray": f"{ray}-FRA", **headers}, body)


def test_answers_that_differ_in_their_own_names_alone_are_alike() -> None:
    one = _answer(body="no /admin here, ray 12", date="a", ray="12")
    other = _answer(body="no /qwert here, ray 34", date="b", ray="34")
    assert judge_pairs([Pair("a.example/admin", one, "a.example/qwert", other)]).verdict == "pass"


@pytest.mark.parametrize(
    "one",
    [
        _answer(403),
        _answer(body="forbidden"),
        _answer(allow="GET"),
        Answer(404, {"content-type": "text/html", "cf-ray": "2-FRA"}),
        Answer(404),
        _answer(date="only here"),
    ],
)
def test_any_other_difference_is_found(one: Answer) -> None:
    assert judge_pairs([Pair("a.example/admin", one, "a.example/qwert", _answer())]).verdict == "fail"


def test_admin_paths_and_admin_hosts_are_compared_with_absent_ones_of_their_length() -> None:
    stack = cloud_stack()
    stack["services"]["ops"] = service(routes=[{"host": "api.example.org", "path": "/internal", "admin": True}])
    given = settings(stack)
    live = Live(STACK, given, plan(given), program(), OUTPUTS)
    found = dict(admin.places(live))
    assert set(found) == {"admin.example.org/", "api.example.org/internal"}
    assert found["api.example.org/internal"].startswith("api.example.org/")
    assert all(len(one) == len(other) for one, other in found.items())


def test_measurements_are_summed_over_their_labels() -> None:
    text = 'a_total{x="1"} 2\na_total{x="2"} 3\na_total_more 9\nb 1e+03\n# a_total 7\n'
    assert (total(text, "a_total"), total(text, "b"), total(text, "c")) == (5, 1000, 0)


Answering = Callable[..., Live]


@pytest.fixture
def behind_ssh(tmp_path: Path) -> Answering:
    """A stack whose server answers each command with a text and an exit code."""

    def make(**answers: tuple[str, int]) -> Live:
        cases = "\n".join(
            f"*{word}*) cat <<'END'\n{text}\nEND\nexit {code} ;;" for word, (text, code) in answers.items()
        )
        script = tmp_path / "ssh"
        script.write_text(f'#!/bin/sh\ncase "$1" in\n{cases}\nesac\nexit 255\n', encoding="utf-8")
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        given = settings(cloud_stack())
        return Live(STACK, given, plan(given), program(), OUTPUTS, Engine(Machine((str(script),))))

    return make


def _measured(live: Live, check: str) -> Result:
    return next(each for each in CHECKS if each.id == check).run(live)


def test_the_hosts_own_comparison_decides(behind_ssh: Answering) -> None:
    assert _measured(behind_ssh(systemctl=("", 0), journalctl=("", 0)), "host-drift").verdict == "pass"
    journal = "/etc/nftables.conf: FAILED\nsha256sum: WARNING: 1 computed checksum did NOT match"
    result = _measured(behind_ssh(systemctl=("", 1), journalctl=(journal, 0)), "host-drift")
    assert (result.verdict, result.evidence[1:]) == ("fail", ("differs: /etc/nftables.conf",))
    assert _measured(behind_ssh(systemctl=("", 1), journalctl=("", 0)), "host-drift").verdict == "fail"


def test_a_server_that_does_not_answer_is_no_pass(behind_ssh: Answering) -> None:
    for check in ("host-drift", "host-filter", "published-ports", "containers", "intrusion"):
        result = _measured(behind_ssh(), check)
        assert (result.verdict, "does not answer by SSH" in result.evidence[0]) == ("not measured", True), check


def test_the_rendered_packet_filter_passes_and_any_weaker_one_does_not(behind_ssh: Answering) -> None:
    need("nft", "unshare", "nsenter")
    need_root()
    rules = host_of(rendered(preview(ROOT, STACK).recording)["host/user-data.yaml"]).firewall
    strict, weak = _listed(rules), _listed(rules.replace("hook forward priority filter; policy drop", "hook forward "
                                                         "priority filter; policy accept"))  # fmt: skip
    assert _measured(behind_ssh(nft=(strict, 0)), "host-filter").verdict == "pass"
    result = _measured(behind_ssh(nft=(weak, 0)), "host-filter")
    assert (result.verdict, result.evidence[1:]) == ("fail", ("forward: accept, not drop",))
    assert _measured(behind_ssh(nft=("", 1)), "host-filter").verdict == "fail"


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


def test_nothing_of_the_cloud_applies_to_a_local_stack() -> None:
    given = settings(local_stack())
    recording = gather.program(ROOT, "local")
    live = Live("local", given, plan(given), recording, {"gateway": "http://192.0.2.1:1"}, Engine(docker=("false",)))
    found = {check.id: check.run(live).verdict for check in CHECKS}
    inside = {"published-ports", "one-gateway", "networks", "isolation", "resolver", "containers", "images", "digests"}
    measured = inside | {"files", "intrusion", "security-headers"}
    assert {check for check, verdict in found.items() if verdict != "not applicable"} - {"alerts"} == measured
    assert {found[check] for check in measured} == {"not measured"}
