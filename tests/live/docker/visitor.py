"""What visitors and operators of the example do with it."""

import json
from dataclasses import dataclass

from tests.live.docker.edge import OPERATOR, Answer, Edge

API, DASHBOARD = "api.example.org", "dashboard.example.org"


@dataclass(frozen=True)
class Visitor:
    """Someone out there, by way of the edge."""

    edge: Edge

    def upload(self, image: bytes, within: float = 10.0) -> Answer:
        """Send an image; the answer's body is its id."""
        return self.edge.request("POST", API, "/rpc/upload", image, within=within)

    def uploaded(self, image: bytes) -> str:
        """The id of an image that was taken. Raises ``AssertionError`` where it was not."""
        answer = self.upload(image)
        assert answer.status == 200, answer
        return str(json.loads(answer.body))

    def status(self, identity: str, within: float = 10.0) -> str:
        """What became of an image; empty where the API does not answer."""
        answer = self.edge.request("GET", API, f"/rpc/status?id={identity}", within=within)
        return str(json.loads(answer.body)) if answer.status == 200 else ""

    def thumbnail(self, identity: str) -> Answer:
        """The finished image."""
        return self.edge.request("GET", API, f"/rpc/thumbnail?id={identity}")

    def dashboard(self, address: str = OPERATOR, within: float = 10.0) -> Answer:
        """The admin dashboard, asked for from an address."""
        return self.edge.request("GET", DASHBOARD, "/", visitor=address, within=within)
