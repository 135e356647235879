"""/images: https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Image

Every image exists, and is pulled in no time. What is in it is not known here, and so it has no command. Each has a user
of its own, which is the harder case, but for those that are known to have none.
"""

import hashlib

from simulators.call import Answer, Call, Route
from simulators.docker import errors
from simulators.store import Row, Store

TABLE = "images"
HUB = "docker.io/"
OFFICIAL = "library/"
USERLESS = ("busybox@",)
USER = "65532:65532"


def find(store: Store, name: str) -> Row:
    """By id, tag or digest; raises 404."""
    wanted = name if name.startswith("sha256:") else familiar(name)
    for row in store.table(TABLE).values():
        if wanted in (row["Id"], *row["RepoTags"], *row["RepoDigests"]):
            return row
    raise errors.error(404, f"No such image: {name}")


def user(image: Row) -> str:
    """Whom a container of it runs as, where it is not told otherwise; empty for root."""
    return "" if any(name.startswith(USERLESS) for name in image["RepoDigests"]) else USER


def familiar(name: str) -> str:
    """As the Engine shows a name: without the Hub's address, and with a digest or else a tag."""
    repository, _, digest = name.removeprefix(HUB).removeprefix(OFFICIAL).partition("@")
    bare, _, tag = _tagged(repository)
    return f"{bare}@{digest}" if digest else f"{bare}:{tag or 'latest'}"


def _tagged(repository: str) -> tuple[str, str, str]:
    """Repository, colon and tag. The host in front may have a colon of its own."""
    folder, slash, last = repository.rpartition("/")
    name, colon, tag = last.partition(":")
    return f"{folder}{slash}{name}", colon, tag


def _pull(call: Call) -> Answer:
    tag = call.one("tag") or "latest"
    pinned = tag.startswith("sha256:")
    name = familiar(f"{call.one('fromImage')}{'@' if pinned else ':'}{tag}")
    repository = _tagged(name.partition("@")[0])[0]
    row: Row = {
        "Id": _digest(name),
        "RepoTags": [] if pinned else [name],
        "RepoDigests": [name if pinned else f"{repository}@{_digest(f'manifest of {name}')}"],
        "Created": 0,
        "Size": 0,
        "Labels": {},
    }
    call.store.table(TABLE)[row["Id"]] = row
    return Answer(200, {"status": f"Status: Downloaded newer image for {name}"})


def _digest(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _list(call: Call) -> Answer:
    return Answer(200, list(call.store.table(TABLE).values()))


def _inspect(call: Call) -> Answer:
    image = find(call.store, call.match["name"])
    config = {"Env": None, "Cmd": None, "Entrypoint": None, "Labels": None, "User": user(image)}
    more = {"Created": "1970-01-01T00:00:00Z", "Architecture": "amd64", "Os": "linux", "Config": config}
    return Answer(200, {**image, **more})


ROUTES = [
    Route("POST", "/v{version}/images/create", _pull),
    Route("GET", "/v{version}/images/json", _list),
    Route("GET", "/v{version}/images/{name:.+}/json", _inspect),
]
