"""GET /server_types, /locations, /images: https://docs.hetzner.cloud/reference/cloud#server-types and after."""

from simulators.call import Answer, Call, Route
from simulators.hetzner import errors
from simulators.hetzner.catalogue import IMAGES, LOCATIONS, SERVER_TYPES, find
from simulators.hetzner.collection import listed
from simulators.store import Row


def _routes(key: str, rows: list[Row]) -> list[Route]:
    def every(call: Call) -> Answer:
        return listed(call, key, rows)

    def one(call: Call) -> Answer:
        found = find(rows, int(call.match["id"]))
        if found is None:
            raise errors.not_found(key.removesuffix("s"), call.match["id"])
        return Answer(200, {key.removesuffix("s"): found})

    return [Route("GET", f"/{key}", every), Route("GET", f"/{key}/{{id:[0-9]+}}", one)]


ROUTES = [
    *_routes("server_types", SERVER_TYPES),
    *_routes("locations", LOCATIONS),
    *_routes("images", IMAGES),
]
