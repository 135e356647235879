"""A whole stack in the simulated clouds, without the engine: the recorded program, sent by the providers' calls."""

import runpy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ops.preview.record import Recording, record
from ops.preview.simulated import outputs_of, resource_id
from ops.preview.stackfile import stack_values
from ops.simulated.clouds import Clouds, clouds
from ops.simulated.project import read_stack
from tests.simulators.cloud import Cloud
from tests.simulators.provider import Provider

ROOT = Path(__file__).parents[2]
TOKENS = {"hcloud:token": "t" * 64, "cloudflare:apiToken": "t"}


def recorded(stack: str, more: Mapping[str, str]) -> Recording:
    """The program's registrations, with ``more`` in its stack file."""
    values = {**stack_values(ROOT, stack), **TOKENS, **more}
    return record(_program, stack=stack, preview=False, config=values, outputs=outputs_of)


def _program() -> None:
    runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")


@contextmanager
def made(folder: Path, stack: str, more: Mapping[str, str]) -> Iterator[Clouds]:
    """The clouds after everything was made, in the order of the program."""
    with clouds([read_stack(ROOT, stack)], folder) as served:
        hetzner = Cloud(served.hetzner_endpoint.removesuffix("/v1"), "/v1")
        cloudflare = Cloud(served.cloudflare_endpoint.removesuffix("/client/v4"), "/client/v4")
        provider = Provider(hetzner, cloudflare)
        for registration in recorded(stack, more).registrations:
            resource = registration.resource
            if resource.type.startswith(("hcloud:", "cloudflare:")):
                provider.make(resource, registration.outputs, resource_id(resource.type, resource.name))
        yield served
