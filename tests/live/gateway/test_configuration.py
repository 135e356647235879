"""nginx's own check of the files that a stack's plan gives."""

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components.gateway.render import Values, files, values
from tests.live.gateway.nginx import arguments, folder_for_nobody, need_nginx, write
from tests.programs import need
from tests.samples import cloud_stack, settings
from topology.plan import plan

ISOLATED, AS_NOBODY = ["unshare", "--net"], ["setpriv", "--reuid", "65534", "--clear-groups"]
if os.geteuid():
    ISOLATED, AS_NOBODY = ["unshare", "--net", "--map-root-user"], []


DIGITS = str.maketrans("0123456789", "ABCDEFGHIJ")


def planned(raw: dict[str, Any] | None = None) -> Values:
    """A stack's own values: real addresses of its networks."""
    stack = settings(raw or cloud_stack())
    return values(plan(stack), stack.gateway, stack.operators.networks, tunnelled=True)


def checked(
    given: Values, spoil: tuple[str, str] = ("", ""), check: tuple[str, ...] = ("-t",)
) -> subprocess.CompletedProcess[str]:
    """`nginx -t`, or a start that has to fail, where the plan's addresses exist: in a network namespace of its own."""
    folder = folder_for_nobody()
    # Standard output belongs to whoever runs the test; a container's belongs to its user.
    given = replace(given, scratch=f"{folder}/run", log=f"{folder}/access.log")
    write(folder, {path: text.replace(*spoil) if spoil[0] else text for path, text in files(given).items()})
    heard = {place.partition(":")[0] for place in (given.listen, *given.metrics_listen)} - {"127.0.0.1"}
    addresses = "".join(f" && ip address add {address}/32 dev lo" for address in sorted(heard))
    script = f'ip link set lo up{addresses} && exec "$@"'
    command = [*ISOLATED, "sh", "-c", script, "sh", *AS_NOBODY, *arguments(folder), *check]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    finally:
        shutil.rmtree(folder)


def test_nginx_accepts_the_files_of_a_stack() -> None:
    need_nginx()
    need("unshare", "ip", "setpriv")
    result = checked(planned())
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    "spoil", [("server_tokens off;", "server_tokens of;"), ("geo $remote_addr", "geo remote_addr")]
)
def test_control_nginx_refuses_a_mistake(spoil: tuple[str, str]) -> None:
    need_nginx()
    need("unshare", "ip", "setpriv")
    assert checked(planned(), spoil).returncode == 1


def test_an_nginx_that_hides_the_second_of_two_headers_is_refused() -> None:
    """Before 1.23. Here the one that is there is called too old."""
    need_nginx()
    need("unshare", "ip", "setpriv")
    result = checked(planned(), ("nginx_version >= 1023000", "nginx_version >= 9023000"), check=())
    assert result.returncode == 1
    assert "nginx 1.23.0 or newer is needed" in result.stderr


def test_what_is_written_lies_in_memory() -> None:
    """Every folder that nginx makes by itself is named, and below the container's one writable place."""
    text = files(planned())["/etc/zero-exposure/gateway/scratch.conf"]
    folders = [
        Path(line.split()[1].rstrip(";")) for line in text.splitlines() if "_temp_path" in line and line[0] != "#"
    ]
    assert len(folders) == 5
    assert all(folder.parent == Path("/run/gateway") for folder in folders)
