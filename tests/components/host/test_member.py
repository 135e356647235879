"""What is different on a server that is one of several, judged by the programs that will read it."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
import yaml

from components.host.render import MAX_USER_DATA, Member, Values, files, user_data
from tests.components.host.test_render import VALUES
from tests.programs import need

MEMBER = replace(VALUES, member=Member("manager-2", "10.0.1.2", 2))
MESH = replace(VALUES, member=Member("manager-2", "10.0.1.2", 2, prefix=16))
"""A machine whose others are in other zones."""
DROP_IN = "/etc/systemd/system/wg-quick@wg0.service.d/volume.conf"
MESH_TOOL = "/usr/local/lib/zero-exposure/mesh"
TOOL, RULES = "/usr/local/lib/zero-exposure/swarm", "/etc/nftables.conf"


def text(path: str, values: Values = MEMBER) -> str:
    return next(file.text for file in files(values) if file.path == path)


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_one_server_has_nothing_of_a_swarm() -> None:
    alone = user_data(VALUES)
    assert "swarm" not in alone.lower()
    assert TOOL not in {file.path for file in files(VALUES)}
    assert {file.path for file in files(MEMBER)} - {file.path for file in files(VALUES)} == {
        TOOL, "/etc/systemd/system/zero-exposure-unlock.service",
    }  # fmt: skip


def test_nftables_accepts_the_rules_with_and_without_a_list_of_members(tmp_path: Path) -> None:
    need("nft")
    path, kept = tmp_path / "nftables.conf", tmp_path / "members.nft"
    rules = text(RULES).replace("/etc/zero-exposure/members*.nft", f"{tmp_path}/members*.nft")
    path.write_text(rules)
    assert run("nft", "--check", "--file", path).stderr == ""
    kept.write_text("flush set inet zero_exposure members\nadd element inet zero_exposure members { 10.0.1.3 }\n")
    assert run("nft", "--check", "--file", path).stderr == ""
    path.write_text(rules.replace("ip saddr @members", "ip saddr @nobody"))
    assert run("nft", "--check", "--file", path).returncode != 0


def test_swarm_is_let_in_on_the_private_interface_alone() -> None:
    lines = [line.strip() for line in text(RULES).splitlines() if "jump swarm" in line]
    assert lines == [
        "iifname { enp7s0, ens10 } ip daddr 10.0.1.2 ip saddr @members jump swarm",
        "oifname { enp7s0, ens10 } ip daddr @members jump swarm",
    ]


def test_the_engine_takes_its_configuration_and_swarm_its_lack_of_live_restore(tmp_path: Path) -> None:
    need("dockerd")
    path = tmp_path / "daemon.json"
    path.write_text(text("/etc/docker/daemon.json"))
    given = json.loads(path.read_text())
    assert "live-restore" not in given
    assert set(given["default-ulimits"]) == {"nofile", "nproc"}
    # Engine 20.10 knows no --validate: it reads the file before it looks for its folders.
    done = run("dockerd", "--config-file", path, "--data-root", "/dev/null/x", "--exec-root", "/dev/null/y")
    assert "unmarshal" not in done.stderr
    assert "don't match any configuration option" not in done.stderr


@pytest.mark.parametrize(("tool", "values"), [(TOOL, MEMBER), (TOOL, MESH), (MESH_TOOL, MESH)])
def test_the_tools_are_sound_scripts(tool: str, values: Values, tmp_path: Path) -> None:
    need("shellcheck")
    path = tmp_path / "tool"
    path.write_text(text(tool, values))
    assert run("shellcheck", path).stdout == ""


def test_only_machines_in_several_zones_have_anything_of_wireguard() -> None:
    assert "wireguard" not in user_data(MEMBER).lower()
    assert "51820" not in user_data(MEMBER)
    assert {file.path for file in files(MESH)} - {file.path for file in files(MEMBER)} == {
        MESH_TOOL, "/etc/wireguard/wg0.conf", "/etc/systemd/system/wg-quick@wg0.service.d/volume.conf",
    }  # fmt: skip


def test_between_zones_swarm_is_let_in_on_wireguard_alone_and_wireguard_as_an_answer_alone() -> None:
    rules = [line.strip() for line in text(RULES, MESH).splitlines()]
    assert [line for line in rules if "jump swarm" in line] == [
        "iifname { wg0 } ip daddr 10.0.1.2 ip saddr @members jump swarm",
        "oifname { wg0 } ip daddr @members jump swarm",
    ]
    assert [line for line in rules if "51820" in line] == ["udp sport 51820 udp dport 51820 ip daddr @endpoints accept"]
    assert rules.index("chain output {") < rules.index("udp sport 51820 udp dport 51820 ip daddr @endpoints accept")


def test_nftables_accepts_the_rules_for_wireguard(tmp_path: Path) -> None:
    need("nft")
    path, kept = tmp_path / "nftables.conf", tmp_path / "members-endpoints.nft"
    rules = text(RULES, MESH).replace("/etc/zero-exposure/members*.nft", f"{tmp_path}/members*.nft")
    path.write_text(rules)
    kept.write_text(
        "flush set inet zero_exposure endpoints\nadd element inet zero_exposure endpoints { 198.51.100.7 }\n"
    )
    assert run("nft", "--check", "--file", path).stderr == ""
    path.write_text(rules.replace("set endpoints", "set nowhere"))
    assert run("nft", "--check", "--file", path).returncode != 0


def test_systemd_starts_wireguard_with_the_volume_and_before_docker(tmp_path: Path) -> None:
    need("systemd-analyze", "wg-quick")
    unit = tmp_path / "wg-quick@wg0.service"
    unit.write_text(Path("/lib/systemd/system/wg-quick@.service").read_text())
    drop_in = tmp_path / "wg-quick@wg0.service.d/volume.conf"
    drop_in.parent.mkdir()
    drop_in.write_text(text(DROP_IN, MESH))
    assert [line for line in verified(unit) if "volume.conf" in line] == []
    drop_in.write_text(text(DROP_IN, MESH).replace("Restart=on-failure", "Restart=sometimes"))
    assert [line for line in verified(unit) if "sometimes" in line]


def verified(unit: Path) -> list[str]:
    return run("systemd-analyze", "verify", unit).stderr.splitlines()


def test_the_key_of_wireguard_is_made_before_docker_is_there() -> None:
    install = text("/usr/local/lib/zero-exposure/install", MESH)
    assert install.index("mnt-data.mount") < install.index("wg-quick@wg0.service") < install.index("docker.io")


@pytest.mark.parametrize("image", ["debian-12", "debian-13"])
def test_the_text_for_machines_in_several_zones_leaves_as_much_room(image: Literal["debian-12", "debian-13"]) -> None:
    """Tokens and keys as long as real ones, the volume encrypted: what is left is for operators' keys."""
    values = replace(MESH, image=image, token="e" * 180, volume_key="k" * 64)
    assert len(user_data(values).encode()) < MAX_USER_DATA - 4096
    assert not any(line.lstrip().startswith("# ") for file in files(values) for line in file.text.splitlines())


@pytest.mark.parametrize(("turn", "at"), [(0, "04:00"), (1, "04:20"), (3, "05:00")])
def test_no_two_machines_restart_at_the_same_time(turn: int, at: str) -> None:
    values = replace(MEMBER, member=Member("m", "10.0.1.2", turn))
    assert f'Automatic-Reboot-Time "{at}"' in text("/etc/apt/apt.conf.d/52zero-exposure", values)


def test_a_restart_before_midnight_goes_on_after_it() -> None:
    values = replace(MEMBER, reboot_time="23:50")
    assert 'Automatic-Reboot-Time "00:30"' in text("/etc/apt/apt.conf.d/52zero-exposure", values)


def test_the_machine_bears_its_name_and_unlocks_itself() -> None:
    config = yaml.safe_load(user_data(MEMBER))
    assert config["hostname"] == "manager-2"
    assert "systemctl enable zero-exposure-unlock.service" in config["runcmd"]


def test_the_text_leaves_room_for_keys() -> None:
    assert len(user_data(MEMBER).encode()) < MAX_USER_DATA - 1024


@pytest.mark.parametrize("values", [MEMBER, MESH], ids=["one zone", "several"])
def test_cloud_init_accepts_the_user_data(values: Values, tmp_path: Path) -> None:
    need("cloud-init")
    path = tmp_path / "user-data.yaml"
    path.write_text(user_data(values))
    done = run("cloud-init", "schema", "--config-file", path)
    assert done.returncode == 0, done.stderr
