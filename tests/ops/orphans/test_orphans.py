"""What Pulumi does not know is found, shown, and deleted on a word; what may hold data stays."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import hcloud
import pytest
from hcloud.locations.domain import Location

from ops.orphans.__main__ import main
from ops.simulated.clouds import Clouds
from ops.simulated.guard import STANDINS
from tests.simulators.made import made

BANS = {
    "zero-exposure:intrusion": json.dumps({"edge_token": "lists"}),
    "zero-exposure:secrets": json.dumps({"lists": "a-token"}),
}
PARENT = "urn:pulumi:dev::zero-exposure::zero-exposure:index:Host::host"
ATTACHMENT = "hcloud:index/volumeAttachment:VolumeAttachment"
TUNNEL = "cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared"
CONTAINER = "docker:index/container:Container"
ATTACHMENT_URN = f"{PARENT}$t::host-data-attachment"
CLI = """#!/bin/sh
echo "$*" >>{folder}/calls
case $2 in import) cat >{folder}/imported.json ;; *) cat {folder}/known.json ;; esac
"""
TABLES = {
    "servers", "firewalls", "ssh_keys", "tunnels", "access_apps", "access_policies", "access_service_tokens",
    "dns_records", "rulesets", "lists", "notification_policies", "buckets",
}  # fmt: skip


class Standing:
    """A deployed stack, and a stand-in for the CLI that says what Pulumi knows of it."""

    def __init__(self, folder: Path, served: Clouds) -> None:
        self.served = served
        self._known = folder / "known.json"
        self.knows(self.everything())

    def everything(self) -> set[str]:
        """Ids of all that is there, those of buckets being their names."""
        rows = [row for table in self.served.rows().values() for row in table.values()]
        return {str(row.get("id") or row.get("name") or row.get("Id")) for row in rows}

    def knows(self, ids: set[str]) -> None:
        """Let this be in the state."""
        resources = [{"urn": f"urn:pulumi:dev::zero-exposure::type::{each}", "id": each} for each in sorted(ids)]
        self._known.write_text(json.dumps({"deployment": {"resources": resources}}))

    def leaves_over(self, table: str) -> str:
        """Let a second one be there of what a table has, as after a creation whose answer was lost; answers its id."""
        api = next(api for api in self.served.apis if table in api.store.tables)
        rows = api.store.table(table)
        row = json.loads(json.dumps(next(iter(rows.values()))))
        key = "id" if "id" in row else "name"
        row[key] = 4711 if isinstance(row[key], int) else f"{row[key]}-2"
        rows[str(row[key])] = {**row, "volumes": [], "_firewalls": []} if table == "servers" else row
        return str(row[key])

    def knows_of_volumes(self) -> None:
        """Let their types and parents be in the state too, and no attachment."""
        resources = json.loads(self._known.read_text())["deployment"]["resources"]
        volumes = self.served.rows()["volumes"]
        for each in resources:
            if each["id"] in volumes:
                each.update(urn=f"{PARENT}$t::host-data", type="hcloud:index/volume:Volume", parent=PARENT)
        self._known.write_text(json.dumps({"deployment": {"resources": resources}}))

    def knows_of_attachments(self, **marks: bool) -> None:
        """Let those of all volumes be in the state too, with the engine's own marks."""
        resources = json.loads(self._known.read_text())["deployment"]["resources"]
        for number in self.served.rows()["volumes"]:
            resources.append({"urn": ATTACHMENT_URN, "id": number, "type": ATTACHMENT, "parent": PARENT, **marks})
        self._known.write_text(json.dumps({"deployment": {"resources": resources}}))

    def knows_as(self, number: str, type_: str, **more: Any) -> None:
        """Let what has this id be in the state by its type, with whatever else the state says of it."""
        resources = json.loads(self._known.read_text())["deployment"]["resources"]
        next(each for each in resources if each["id"] == number).update(type=type_, **more)
        self._known.write_text(json.dumps({"deployment": {"resources": resources}}))

    def forgets(self, table: str) -> None:
        """Let what a table has be unknown."""
        gone = {str(row.get("id") or row["name"]) for row in self.served.rows()[table].values()}
        self.knows(self.everything() - gone)


@pytest.fixture
def standing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Standing]:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "pulumi").write_text(CLI.format(folder=tmp_path))
    (programs / "pulumi").chmod(0o755)
    (programs / "python3").symlink_to(sys.executable)
    with made(tmp_path, "dev", BANS) as served:
        monkeypatch.setenv("PATH", f"{STANDINS}{os.pathsep}{programs}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.setenv("HCLOUD_ENDPOINT", served.hetzner_endpoint)
        monkeypatch.setenv("HCLOUD_TOKEN", "x" * 64)
        monkeypatch.setenv("CLOUDFLARE_BASE_URL", served.cloudflare_endpoint)
        monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "x" * 40)
        monkeypatch.setenv("DOCKER_HOST", served.engine_endpoint)
        yield Standing(tmp_path, served)


def test_where_all_is_known_there_is_nothing(standing: Standing, capsys: pytest.CaptureFixture[str]) -> None:
    before = standing.served.changes()
    assert main([]) == 0
    assert "Nothing of dev is there that Pulumi does not know." in capsys.readouterr().out
    assert standing.served.changes() == before


def test_every_table_of_the_clouds_is_looked_at(standing: Standing) -> None:
    assert set(standing.served.rows()) - {"volumes"} == TABLES


@pytest.mark.parametrize("table", sorted(TABLES - {"buckets"}))
def test_what_pulumi_does_not_know_is_deleted_on_a_word(standing: Standing, table: str) -> None:
    if table == "lists":
        # A list is made before the rules that name it.
        standing.served.cloudflare.store.table("rulesets").clear()
    before = standing.everything()
    over = standing.leaves_over(table)
    assert over in standing.everything() - before
    assert main(["--yes"]) == 0
    assert main([]) == 0
    assert standing.everything() == before


def test_a_protected_volume_stays(standing: Standing, capsys: pytest.CaptureFixture[str]) -> None:
    before = standing.everything()
    standing.forgets("volumes")
    assert main(["--yes"]) == 1
    assert "stays, " in capsys.readouterr().out
    assert standing.everything() == before


def test_a_volume_that_was_cut_off_before_its_protection_is_deleted(standing: Standing) -> None:
    before = standing.everything()
    over = standing.leaves_over("volumes")
    standing.served.hetzner.store.table("volumes")[over].update(server=None, protection={"delete": False})
    assert main(["--yes"]) == 0
    assert standing.everything() == before


def test_a_bucket_stays_where_it_holds_anything(standing: Standing, capsys: pytest.CaptureFixture[str]) -> None:
    (bucket,) = standing.served.cloudflare.store.table("buckets").values()
    bucket["_holds"] = True
    standing.forgets("buckets")
    assert main(["--yes"]) == 1
    assert "HTTP 409 10008" in capsys.readouterr().err
    assert standing.served.cloudflare.store.table("buckets")
    bucket["_holds"] = False
    assert main(["--yes"]) == 0
    assert not standing.served.cloudflare.store.table("buckets")


def test_an_attachment_that_pulumi_does_not_know_is_taken_over(standing: Standing, tmp_path: Path) -> None:
    before = standing.served.changes()
    standing.knows_of_volumes()
    assert main(["--yes"]) == 0
    (volume,) = standing.served.rows()["volumes"]
    (taken,) = [line for line in (tmp_path / "calls").read_text().splitlines() if line.startswith("import ")]
    assert taken.startswith(
        f"import {ATTACHMENT} host-data-attachment {volume} --parent host={PARENT} --protect=false "
    )
    assert standing.served.changes() == before, "nothing is detached"


def test_an_attachment_that_pulumi_knows_is_left_alone(standing: Standing, tmp_path: Path) -> None:
    standing.knows_of_volumes()
    standing.knows_of_attachments()
    assert main(["--yes"]) == 0
    assert "import" not in (tmp_path / "calls").read_text()


def test_an_attachment_that_was_to_be_made_anew_and_was_is_taken_over_in_its_place(
    standing: Standing, tmp_path: Path
) -> None:
    standing.knows_of_volumes()
    standing.knows_of_attachments(pendingReplacement=True)
    assert main(["--yes"]) == 0
    forgotten, taken = (tmp_path / "calls").read_text().splitlines()[-2:]
    assert forgotten.startswith(f"state delete {ATTACHMENT_URN} --yes ")
    assert taken.startswith(f"import {ATTACHMENT} host-data-attachment ")


def test_what_pulumi_takes_for_deleted_and_is_there_is_deleted(standing: Standing) -> None:
    before = standing.everything()
    over = standing.leaves_over("firewalls")
    standing.knows(standing.everything())
    assert main([]) == 0
    standing.knows_as(over, "hcloud:index/firewall:Firewall", pendingReplacement=True)
    assert main(["--yes"]) == 0
    assert standing.everything() == before


def test_a_volume_on_a_server_that_pulumi_does_not_know_is_not_taken_over(standing: Standing, tmp_path: Path) -> None:
    standing.forgets("servers")
    standing.knows_of_volumes()
    assert main(["--yes"]) == 0
    assert "import" not in (tmp_path / "calls").read_text()


@pytest.mark.parametrize("gone", [False, True])
def test_of_a_tunnel_that_is_gone_pulumi_is_told(standing: Standing, tmp_path: Path, gone: bool) -> None:
    tunnel = next(iter(standing.served.rows()["tunnels"].values()))
    for each in standing.served.rows()["tunnels"]:
        standing.knows_as(each, TUNNEL)
    tunnel["deleted_at"] = "2026-01-01T00:00:00Z" if gone else None
    assert main(["--yes"]) == 0
    imported = tmp_path / "imported.json"
    assert imported.exists() == gone
    if gone:
        told = json.loads(imported.read_text())["deployment"]["resources"]
        marked = {each["id"]: each["taint"] for each in told if each.get("retainOnDelete")}
        assert marked == {tunnel["id"]: True}
        standing.knows_as(tunnel["id"], TUNNEL, retainOnDelete=True)
        assert main([]) == 0, "once is enough"


def test_a_tunnel_of_a_stack_whose_name_begins_alike_is_left_alone(standing: Standing) -> None:
    before = standing.everything()
    over = standing.leaves_over("tunnels")
    row = standing.served.cloudflare.store.table("tunnels")[over]
    for theirs in (
        "zero-exposure-dev-eu-admin-abc123",
        "zero-exposure-dev-admin-app-abc123",
        "zero-exposure-devapp-abc123",
    ):
        row["name"] = theirs
        assert main(["--yes"]) == 0
        assert standing.everything() == before | {over}
    row["name"] = "zero-exposure-dev-admin-manager-1-abc123"
    assert main(["--yes"]) == 0
    assert standing.everything() == before


def test_without_the_stacks_name_nothing_is_deleted(standing: Standing, monkeypatch: pytest.MonkeyPatch) -> None:
    before = standing.everything()
    over = standing.leaves_over("firewalls")
    for said in ("yes", "prod", ""):
        monkeypatch.setattr("builtins.input", lambda _="", said=said: said)
        assert main([]) == 1
        assert standing.everything() == before | {over}
    monkeypatch.setattr("builtins.input", lambda _="": "dev")
    assert main([]) == 0
    assert standing.everything() == before


def test_where_the_state_is_empty_nothing_is_deleted(standing: Standing, capsys: pytest.CaptureFixture[str]) -> None:
    before = standing.everything()
    standing.knows(set())
    assert main(["--yes"]) == 1
    assert "is this its backend?" in capsys.readouterr().out
    assert standing.everything() == before


def test_what_is_another_stacks_or_nobodys_is_no_orphan(standing: Standing) -> None:
    rows = standing.served.hetzner.store.table("firewalls")
    rows["1"] = {"id": 1, "name": "theirs", "labels": {"zero-exposure": "prod"}, "rules": []}
    rows["2"] = {"id": 2, "name": "by hand", "labels": {}, "rules": []}
    assert main([]) == 0


def test_what_machines_of_a_swarm_share_is_looked_at_too(standing: Standing) -> None:
    before = standing.everything()
    client = hcloud.Client(token="x" * 64, api_endpoint=standing.served.hetzner_endpoint)
    client.networks.create("lost", "10.1.0.0/16", labels={"zero-exposure": "dev"})
    client.networks.create("theirs", "10.2.0.0/16", labels={"zero-exposure": "prod"})
    client.placement_groups.create("lost", "spread", labels={"zero-exposure": "dev"})
    client.primary_ips.create("ipv4", "lost", location=Location(name="fsn1"), labels={"zero-exposure": "dev"})
    assert main(["--yes"]) == 0
    (kept,) = standing.everything() - before
    assert client.networks.get_by_id(int(kept)).name == "theirs"


def test_a_container_that_pulumi_does_not_know_is_deleted(standing: Standing) -> None:
    client = docker.DockerClient(base_url=standing.served.engine_endpoint, version="auto")
    client.images.pull("postgrest/postgrest:v14.17")
    known = client.containers.create("postgrest/postgrest:v14.17", name="dev-api", labels={"zero-exposure.node": "api"})
    other = client.containers.create("postgrest/postgrest:v14.17", name="theirs")
    standing.knows(standing.everything())
    client.containers.create("postgrest/postgrest:v14.17", name="dev-lost", labels={"zero-exposure.node": "lost"})
    client.networks.create("dev-lost", labels={"zero-exposure.network": "link"})
    assert main(["--yes"]) == 0
    assert {each.name for each in client.containers.list(all=True)} == {known.name, other.name}
    assert "dev-lost" not in [network.name for network in client.networks.list()]
    client.close()


def test_a_container_that_is_half_made_is_made_anew(standing: Standing, tmp_path: Path) -> None:
    client = docker.DockerClient(base_url=standing.served.engine_endpoint, version="auto")
    client.images.pull("postgrest/postgrest:v14.17")
    made = client.containers.create("postgrest/postgrest:v14.17", name="dev-api", labels={"zero-exposure.node": "api"})
    link = client.networks.create("dev-link")
    standing.knows(standing.everything())

    def tainted(starts: bool, *networks: str) -> bool:
        inputs = {"start": starts, "networksAdvanced": [{"name": name} for name in networks]}
        standing.knows_as(str(made.id), CONTAINER, inputs=inputs)
        before = (tmp_path / "calls").read_text() if (tmp_path / "calls").exists() else ""
        assert main(["--yes"]) == 0
        return "state taint" in (tmp_path / "calls").read_text().removeprefix(before)

    assert not tainted(False), "it is not to be started"
    assert tainted(True), "it never was"
    made.start()
    assert not tainted(True)
    assert tainted(True, "dev-link")
    link.connect(made)
    assert not tainted(True, "dev-link")
    client.close()
