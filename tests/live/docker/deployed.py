"""The dev stack on an Engine of the test's own."""

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker

from ops.preview.files import rendered
from ops.preview.record import Recording
from tests.live.docker import images
from tests.live.docker.applier import Applier
from tests.live.docker.edge import Edge, edge_of, ingress_of
from tests.live.docker.engine import Engine, host_of, running
from tests.live.docker.recipes import recipes
from tests.live.docker.recorded import IMAGE, STACK, Change, recorded


@dataclass
class Deployed:
    """Everything that runs, and the graph that it was made of."""

    engine: Engine
    applier: Applier
    recording: Recording
    edge: Edge
    image_ids: dict[str, str]

    def change(self, change: Change | None, renewed: Collection[str] = (), **other: str) -> set[str]:
        """Apply the stack file with a change to its services, with new passwords, or with other values of its keys;
        what was done on the Engine."""
        values = {f"zero-exposure:{key}": value for key, value in other.items()}
        self.recording = recorded(self.image_ids, change, renewed, values)
        done = self.applier.apply(self.recording)
        self.edge.ingress = ingress_of(self.recording)
        return done

    def edge_answers_for(self, host: str) -> bool:
        """Whether the tunnel has a way for a host."""
        return host in self.edge.ingress

    @property
    def nodes(self) -> list[str]:
        """Names of all running containers' nodes."""
        running = [found for found in self.recording.of_type(CONTAINER) if found.props.get("start", True)]
        return sorted(found.name for found in running)

    def inspect(self, node: str) -> dict[str, Any]:
        """What the Engine says of a node's container."""
        return dict(self.engine.client.api.inspect_container(f"{STACK}-{node}"))

    def pid(self, node: str) -> int:
        """Process id of a container's first process, 0 where it is not running."""
        return int(self.inspect(node)["State"]["Pid"])

    def execute(self, node: str, *command: str, user: str = "") -> tuple[int, str]:
        """Exit code and output of a command inside a container."""
        container = self.engine.client.containers.get(f"{STACK}-{node}")
        code, output = container.exec_run(list(command), user=user)
        assert isinstance(output, bytes)
        return int(code or 0), output.decode("utf-8", "replace")

    def is_healthy(self, node: str) -> bool:
        """Whether a container's own health check succeeds right now, without waiting for the Engine's next turn."""
        inspected = self.inspect(node)
        check = inspected["Config"].get("Healthcheck")
        if not inspected["State"]["Running"] or check is None:
            return bool(inspected["State"]["Running"])
        try:
            return self.execute(node, *check["Test"][1:])[0] == 0
        except docker.errors.APIError:
            # It ended meanwhile.
            return False


CONTAINER = "docker:index/container:Container"


@contextmanager
def deployed() -> Iterator[Deployed]:
    """Engine, images and the whole stack, for as long as the block runs."""
    archive = stand_ins(recorded())
    image_ids = images.ids(archive)
    recording = recorded(image_ids)
    with running(host_of(rendered(recording)["host/user-data.yaml"])) as engine:
        load_images(engine, archive)
        applier, edge = Applier(engine.client), edge_of(recording, engine.internet.edge)
        edge.start()
        applier.apply(recording)
        yield Deployed(engine, applier, recording, edge, image_ids)


def stand_ins(recording: Recording) -> Path:
    """The archive of every image that a graph asks for."""
    return images.archive(recipes([str(image.props["name"]) for image in recording.of_type(IMAGE)]))


def load_images(engine: Engine, archive: Path) -> None:
    """Give an Engine the images."""
    with archive.open("rb") as content:
        engine.client.images.load(content)


def until(condition: Callable[[], bool], within: float, what: str) -> float:
    """Seconds until a condition holds. Raises ``TimeoutError`` where it does not."""
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > within:
            raise TimeoutError(f"{what}: not within {within} s")
        time.sleep(0.1)
    return time.monotonic() - begun
