"""The doctor finds a simulated account as healthy as a real one should be."""

from pathlib import Path

from ops.doctor.api import Api
from ops.doctor.cloudflare import cloudflare
from ops.doctor.hetzner import hetzner
from ops.preview.stackfile import stack_values
from ops.simulated.clouds import clouds
from ops.simulated.project import read_stack
from settings.load import load

ROOT = Path(__file__).parents[2]


def _findings(folder: Path, hetzner_token: str, cloudflare_token: str) -> list[tuple[str, str]]:
    settings = load(stack_values(ROOT, "dev"), "zero-exposure")
    assert settings.host is not None
    with clouds([read_stack(ROOT, "dev")], folder) as served:
        found = [
            *hetzner(Api(served.hetzner_endpoint, hetzner_token), settings.host),
            *cloudflare(Api(served.cloudflare_endpoint, cloudflare_token), settings),
        ]
    return [(finding.subject, finding.verdict) for finding in found]


def test_all_is_well(tmp_path: Path) -> None:
    found = _findings(tmp_path, "x" * 64, "x" * 40)
    assert len(found) > 8
    assert {verdict for _, verdict in found} == {"ok"}


def test_a_token_that_may_only_read_is_told(tmp_path: Path) -> None:
    found = _findings(tmp_path, "readonly".ljust(64, "x"), "short")
    assert ("Hetzner token", "wrong") in found
    assert ("Cloudflare token", "wrong") in found
