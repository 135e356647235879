"""The user data, judged by the programs that will read it."""

import hashlib
import ipaddress
import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml

from components.host.render import MANIFEST, MAX_USER_DATA, RULES, Values, docker_pool, files, user_data
from tests.programs import need

VALUES = Values(
    image="debian-12",
    reboot_time="04:00",
    authorized_keys=(
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJXq0sE3nQeTpVkYB6Y2oX0kq9v4oJm5m2VQ6mB1bW1F ada: 'x' \"y\" #z",
    ),
    pool="10.128.0.0/9",
    volume_id="4711",
    host_key_private="-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0LWtleQ==\n-----END OPENSSH PRIVATE KEY-----\n",
    host_key_public="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJXq0sE3nQeTpVkYB6Y2oX0kq9v4oJm5m2VQ6mB1bW1F",
    token="eyJhIjoic2VjcmV0LXRva2VuIn0=",
)
IMAGES: tuple[Literal["debian-12", "debian-13"], ...] = ("debian-12", "debian-13")
both_images = pytest.mark.parametrize("image", IMAGES)


def cloud_config(values: Values = VALUES) -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load(user_data(values))
    return parsed


def text(path: str, values: Values = VALUES) -> str:
    return next(file.text for file in files(values) if file.path == path)


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


def unpack(values: Values, root: Path) -> Path:
    """The rendered files as they will lie on the server."""
    for file in files(values):
        target = root / file.path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(file.text)
        target.chmod(int(file.mode, 8))
    return root


@both_images
def test_every_file_survives_the_way_through_yaml_unchanged(image: Literal["debian-12", "debian-13"]) -> None:
    values = replace(VALUES, image=image)
    written = {entry["path"]: entry["content"] for entry in cloud_config(values)["write_files"]}
    for file in files(values):
        if file.path != RULES:
            assert written[file.path] == file.text


def test_the_packet_filter_is_loaded_before_anything_else_runs() -> None:
    (script,) = cloud_config()["bootcmd"]
    heredoc = script.split("<<'RULES'\n")[1].split("RULES\n")[0]
    assert heredoc == text(RULES)
    assert script.startswith("set -eu\n")
    assert "nft -f /etc/nftables.conf" in script


def test_the_token_is_readable_by_root_alone_and_in_no_other_file() -> None:
    holders = [entry for entry in cloud_config()["write_files"] if VALUES.token in entry["content"]]
    assert [(entry["path"], entry["permissions"]) for entry in holders] == [("/etc/cloudflared/token", "0600")]


def test_no_file_on_the_server_but_its_own_holds_a_secret() -> None:
    for file in files(VALUES):
        assert VALUES.token not in file.text
        assert "c2VjcmV0LWtleQ==" not in file.text


def test_operators_get_exactly_their_keys() -> None:
    users = {user["name"]: user for user in cloud_config()["users"]}
    assert set(users) == {"ops", "cloudflared"}
    assert users["ops"]["ssh_authorized_keys"] == list(VALUES.authorized_keys)
    assert all(user["lock_passwd"] for user in users.values())


def test_user_data_leaves_half_of_the_room_to_tokens_and_keys() -> None:
    assert len(user_data(VALUES).encode()) < MAX_USER_DATA * 3 / 4


def test_user_data_over_the_limit_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"operators\.ssh_keys"):
        user_data(replace(VALUES, authorized_keys=VALUES.authorized_keys * 300))


@pytest.mark.parametrize("pool", ["10.0.0.0/8", "10.128.0.0/9", "172.16.0.0/12", "192.168.0.0/16", "172.26.0.0/16"])
def test_docker_takes_no_address_of_the_program(pool: str) -> None:
    assert not docker_pool(pool).overlaps(ipaddress.IPv4Network(pool))
    assert json.loads(text("/etc/docker/daemon.json", replace(VALUES, pool=pool)))["default-address-pools"] == [
        {"base": str(docker_pool(pool)), "size": 24}
    ]


def test_docker_listens_on_its_socket_only_and_keeps_its_data_on_the_volume() -> None:
    daemon = json.loads(text("/etc/docker/daemon.json"))
    assert "hosts" not in daemon
    assert daemon["data-root"].startswith("/mnt/data/")
    assert (daemon["live-restore"], daemon["no-new-privileges"], daemon["userland-proxy"]) == (True, True, False)


def test_the_volume_is_mounted_by_its_id() -> None:
    (entry,) = [entry for entry in cloud_config()["write_files"] if entry["path"] == "/etc/fstab"]
    device, mount_point, *_ = entry["content"].split()
    assert (entry["append"], device, mount_point) == (True, "/dev/disk/by-id/scsi-0HC_Volume_4711", "/mnt/data")


def test_an_encrypted_volume_is_unlocked_by_a_key_that_root_alone_reads() -> None:
    values = replace(VALUES, volume_key="a-random-key")
    entries = {entry["path"]: entry for entry in cloud_config(values)["write_files"]}
    assert entries["/etc/zero-exposure/volume.key"]["permissions"] == "0600"
    assert entries["/etc/zero-exposure/volume.key"]["content"] == "a-random-key"
    assert entries["/etc/crypttab"]["content"].split()[1:3] == [values.disk, "/etc/zero-exposure/volume.key"]
    assert entries["/etc/fstab"]["content"].split()[0] == "/dev/mapper/data"
    assert not any("a-random-key" in file.text for file in files(values))
    assert "luksFormat" in text("/usr/local/lib/zero-exposure/install", values)


def test_without_a_key_nothing_is_encrypted() -> None:
    assert "crypt" not in user_data(VALUES)


def test_debian_13_gets_dockers_client_as_a_package_and_keeps_its_own_address_unpunished() -> None:
    install, sshd = "/usr/local/lib/zero-exposure/install", "/etc/ssh/sshd_config.d/00-zero-exposure.conf"
    newer = replace(VALUES, image="debian-13")
    assert "docker-cli" in text(install, newer)
    assert "PerSourcePenalties no" in text(sshd, newer)
    assert "docker-cli" not in text(install)
    assert "PerSourcePenalties" not in text(sshd)


@both_images
def test_cloud_init_accepts_the_user_data(image: Literal["debian-12", "debian-13"], tmp_path: Path) -> None:
    need("cloud-init")
    path = tmp_path / "user-data.yaml"
    path.write_text(user_data(replace(VALUES, image=image)))
    good = run("cloud-init", "schema", "--config-file", path)
    assert (good.returncode, "Valid" in good.stdout) == (0, True), good.stdout + good.stderr
    path.write_text(path.read_text().replace("lock_passwd: true", "lock_passwd: [1]"))
    assert run("cloud-init", "schema", "--config-file", path).returncode != 0


def test_nftables_accepts_the_rules(tmp_path: Path) -> None:
    need("nft")
    path = tmp_path / "rules.nft"
    path.write_text(text(RULES))
    assert run("nft", "--check", "--file", path).stderr == ""
    path.write_text(text(RULES).replace("policy drop", "policy perhaps"))
    assert run("nft", "--check", "--file", path).returncode != 0


def sshd(config: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What sshd makes of a drop-in. The host key is a throw-away one."""
    key, path = folder / "key", folder / "sshd.conf"
    if not key.exists():
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
    path.write_text(config.replace("/etc/ssh/ssh_host_ed25519_key", str(key)))
    Path("/run/sshd").mkdir(exist_ok=True)
    return run("/usr/sbin/sshd", "-T", "-f", path)


def test_sshd_offers_post_quantum_hybrids_only_and_lets_in_keys_only(tmp_path: Path) -> None:
    need("sshd", "ssh-keygen")
    config = text("/etc/ssh/sshd_config.d/00-zero-exposure.conf")
    effective = dict(line.partition(" ")[::2] for line in sshd(config, tmp_path).stdout.splitlines())
    assert effective["listenaddress"] == "127.0.0.1:22"
    assert {name.split("x25519")[0] for name in effective["kexalgorithms"].split(",")} <= {"sntrup761", "mlkem768"}
    assert (effective["passwordauthentication"], effective["permitrootlogin"]) == ("no", "no")
    assert (effective["disableforwarding"], effective["authenticationmethods"]) == ("yes", "publickey")


def test_sshd_refuses_a_broken_drop_in(tmp_path: Path) -> None:
    need("sshd", "ssh-keygen")
    assert sshd("KexAlgorithms no-such-exchange\n", tmp_path).returncode != 0


def verify(root: Path) -> str:
    units = [path for path in (root / "etc/systemd/system").iterdir() if path.is_file()]
    executable = root / "usr/bin/cloudflared"
    executable.parent.mkdir(parents=True, exist_ok=True)
    executable.write_text("#!/bin/sh\n")
    executable.chmod(0o755)
    for unit in units:
        unit.write_text(unit.read_text().replace("ExecStart=/usr/", f"ExecStart={root}/usr/"))
        unit.write_text(unit.read_text().replace(f"{root}/usr/bin/sha256sum", "/usr/bin/sha256sum"))
    return run("systemd-analyze", "verify", *units).stderr


def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    need("systemd-analyze")
    root = unpack(VALUES, tmp_path)
    ours = [line for line in verify(root).splitlines() if str(tmp_path) in line or "zero-exposure" in line]
    assert ours == []
    unit = root / "etc/systemd/system/cloudflared.service"
    unit.write_text(unit.read_text().replace("Type=notify", "Type=sometimes"))
    assert "sometimes" in verify(root)


def test_the_connector_runs_confined_under_its_own_user(tmp_path: Path) -> None:
    need("systemd-analyze")
    unit = unpack(VALUES, tmp_path) / "etc/systemd/system/cloudflared.service"
    command = ("systemd-analyze", "security", "--offline=true", "--threshold=15", unit)
    assert run(*command).returncode == 0, run(*command).stdout
    assert "User=cloudflared" in unit.read_text()
    unit.write_text(unit.read_text().replace("ProtectSystem=strict\n", "").replace("User=cloudflared\n", ""))
    assert run(*command).returncode != 0


def test_scripts_are_shell(tmp_path: Path) -> None:
    for file in files(replace(VALUES, volume_key="key")):
        if file.mode == "0755":
            (tmp_path / "script").write_text(file.text)
            assert run("sh", "-n", tmp_path / "script").stderr == ""


def test_the_manifest_notices_a_file_edited_by_hand(tmp_path: Path) -> None:
    root = unpack(VALUES, tmp_path)
    manifest = root / "manifest"
    manifest.write_text(text(MANIFEST).replace("  /", f"  {root}/"))
    assert len(text(MANIFEST).splitlines()) == len(files(VALUES)) - 1
    assert run("sha256sum", "--check", "--quiet", manifest).returncode == 0
    with (root / "etc/docker/daemon.json").open("a") as daemon:
        daemon.write(" ")
    edited = run("sha256sum", "--check", "--quiet", manifest)
    assert (edited.returncode, "daemon.json" in edited.stdout) == (1, True)


def test_the_manifest_is_of_the_text_that_is_written() -> None:
    digests = dict(line.split("  ")[::-1] for line in text(MANIFEST).splitlines())
    for entry in cloud_config()["write_files"]:
        if entry["path"] in digests:
            assert digests[entry["path"]] == hashlib.sha256(entry["content"].encode()).hexdigest()
