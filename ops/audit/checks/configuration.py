"""Drift: containers and their files, held against what the program says today."""

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from ops.audit.checks import services
from ops.audit.live import CONTAINER, Live, label, name_of, nodes, planned_label, service_of
from ops.audit.result import Check, Result, judged
from ops.preview.record import Recording
from policy.rules.model import UNKNOWN, Resource, has_unknown

Shape = dict[str, object]
IMAGE = "docker:index/remoteImage:RemoteImage"
CONFIG = "docker:index/serviceConfig:ServiceConfig"
SECRET_UPLOAD = re.compile(r"^uploads\[(\d+)\]")
MIB = 1024 * 1024
OF_SWARM = "the Swarm's files"
"""Stands for a container where files lie with the managers."""


def planned_shape(resource: Resource) -> Shape:
    """What of a declared container can be compared. Unknown values are left out."""
    props = resource.props
    shape: Shape = {
        "user": props.get("user"),
        "read-only": props.get("readOnly"),
        "memory": int(props.get("memory", 0)) * MIB,
        "networks": {net["name"]: net.get("ipv4Address") for net in props.get("networksAdvanced", [])},
        "mounts": sorted(
            f"{mount['volumeName']} on {mount['containerPath']}{' read-only' if mount.get('readOnly') else ''}"
            for mount in props.get("volumes", [])
            if not has_unknown(mount)
        ),
        "scratch space": sorted(props.get("tmpfs") or {}),
        "role": planned_label(resource, "role"),
        "node": planned_label(resource, "node"),
    }
    # Left out in the program, these are the image's own.
    own = {"entry point": props.get("entrypoints"), "command": props.get("command")}
    return {key: value for key, value in {**shape, **own}.items() if value is not None and not has_unknown(value)}


def live_shape(container: Mapping[str, Any]) -> Shape:
    """The same of a container as the Engine has it."""
    host, config = container["HostConfig"], container["Config"]
    return {
        "user": config.get("User"),
        "read-only": host.get("ReadonlyRootfs"),
        "memory": host.get("Memory"),
        "networks": {
            name: (joined.get("IPAMConfig") or {}).get("IPv4Address")
            for name, joined in container["NetworkSettings"]["Networks"].items()
            if name != "none"
        },
        "mounts": sorted(
            f"{mount.get('Name') or mount.get('Source')} on {mount['Destination']}{'' if mount['RW'] else ' read-only'}"
            for mount in container.get("Mounts") or []
            if mount["Type"] != "tmpfs"
        ),
        "scratch space": sorted(host.get("Tmpfs") or {}),
        "role": label(container, "role"),
        "node": label(container, "node"),
        "entry point": config.get("Entrypoint"),
        "command": config.get("Cmd"),
    }


def judge_containers(containers: Sequence[Mapping[str, Any]], planned: Mapping[str, Resource]) -> Result:
    """Every declared container is there and as declared, runs and is healthy, and there is no other one."""
    found = {name_of(each): each for each in containers}
    problems = [f"{name} is not in the program" for name in sorted(found.keys() - planned.keys())]
    problems += [f"{name} is missing" for name in sorted(planned.keys() - found.keys())]
    for name in sorted(planned.keys() & found.keys()):
        problems += [f"{name}: {problem}" for problem in _differs(found[name], planned[name])]
    return judged(f"{len(found)} containers on the Engine, {len(planned)} in the program", problems)


def _differs(container: Mapping[str, Any], planned: Resource) -> Iterator[str]:
    wanted, there = planned_shape(planned), live_shape(container)
    different = [key for key in wanted if key in there and wanted[key] != there[key]]
    if different:
        yield f"differs from the program in: {', '.join(different)}"
    state = container["State"]
    runs = planned.props.get("start", True)
    if runs and not state["Running"]:
        yield f"is {state['Status']}"
    if not runs and state["Running"]:
        yield "runs, though it is a carrier"
    if runs and state["Running"] and (state.get("Health") or {}).get("Status", "healthy") == "unhealthy":
        yield "is unhealthy"


def judge_images(used: Mapping[str, Sequence[str]], planned: Mapping[str, str]) -> Result:
    """``used``: container → names of its image on the Engine; ``planned``: container → the name in the program."""
    problems = [
        f"{name} runs {', '.join(used[name]) or 'an image without a name'}, not {wanted}"
        for name, wanted in sorted(planned.items())
        if name in used and not any(_same(each, wanted) for each in used[name])
    ]
    return judged(f"images of {len(used)} containers", problems)


def _same(have: str, wanted: str) -> bool:
    """A digest decides where the program names one; otherwise repository and tag do."""
    plain = wanted.removeprefix("docker.io/").removeprefix("library/")
    repository, at, digest = plain.partition("@")
    if at:
        return have == f"{repository.rpartition(':')[0] or repository}@{digest}" or have == plain
    return have == plain


def _images(live: Live) -> Result:
    planned = image_names(live.recording)
    used: dict[str, list[str]] = {}
    for machine, containers in live.on_machines.items():
        running = {name_of(each): str(each["Image"]) for each in containers if name_of(each) in planned}
        known = {
            str(image["Id"]): [*(image.get("RepoTags") or []), *(image.get("RepoDigests") or [])]
            for image in live.by_machine[machine].images(*sorted(set(running.values())))
        }
        used |= {name: known.get(image, []) for name, image in running.items()}
    if live.topology.cluster:
        used |= {name: _asked_for(services.image(found)) for name, found in services.names(live.services).items()}
        planned |= {name: _image_of(found) for name, found in live.planned_services.items()}
    return judge_images(used, planned)


def _asked_for(image: str) -> list[str]:
    """Names of a service's image: with the digest that Swarm found, by repository and digest, and without it."""
    plain = image.removeprefix("docker.io/").removeprefix("library/")
    name, at, digest = plain.partition("@")
    return [plain, name, f"{name.rpartition(':')[0] or name}@{digest}"] if at else [plain]


def _image_of(service: Resource) -> str:
    return str(service.props["taskSpec"]["containerSpec"]["image"])


def image_names(recording: Recording) -> dict[str, str]:
    """Container → the image that the program names for it."""
    images = {found.urn: str(found.props["name"]) for found in recording.of_type(IMAGE)}
    return {
        str(container.props["name"]): images[urn]
        for container in recording.of_type(CONTAINER)
        for urn in container.property_dependencies.get("image", container.dependencies)
        if urn in images
    }


def judge_digests(containers: Sequence[Mapping[str, Any]], planned: Mapping[str, Resource]) -> Result:
    """Labels with the digest of each container's files. Where a secret is among them its key is in the state alone:
    then a container and its carrier have to agree."""
    found = {name_of(each): label(each, "config") for each in containers}
    known = {name: planned_label(each, "config") for name, each in planned.items()}
    problems = [
        f"{name}: files of digest {found[name] or 'none'}, the program's are {wanted}"
        for name, wanted in sorted(known.items())
        if name in found and wanted is not UNKNOWN and found[name] != wanted
    ]
    problems += [
        f"{name} and its carrier have different files"
        for name in sorted(found)
        if f"{name}-carrier" in found and found[name] != found[f"{name}-carrier"]
    ]
    keyed = sum(wanted is UNKNOWN for wanted in known.values())
    compared = sum(wanted not in ("", UNKNOWN) for wanted in known.values())
    return judged(f"{compared} digests compared with the program's, {keyed} with secrets between each other", problems)


def planned_files(recording: Recording) -> dict[str, dict[str, str | None]]:
    """Container → path → digest of the text that the program puts there; None where a secret is in it."""
    found: dict[str, dict[str, str | None]] = {}
    mounts = {
        mount["volumeName"]: (str(each.props["name"]), str(mount["containerPath"]))
        for each in recording.of_type(CONTAINER)
        for mount in each.props.get("volumes", [])
        if mount.get("readOnly")
    }
    for carrier in recording.of_type(CONTAINER):
        hidden = {int(match[1]) for path in carrier.secrets if (match := SECRET_UPLOAD.match(path))}
        volumes = {mount["containerPath"]: mount["volumeName"] for mount in carrier.props.get("volumes", [])}
        for index, upload in enumerate(carrier.props.get("uploads", [])):
            path, text = PurePosixPath(upload["file"]), upload.get("content")
            name, folder = mounts[volumes[str(path.parent)]]
            plain = isinstance(text, str) and index not in hidden
            found.setdefault(name, {})[f"{folder}/{path.name}"] = digest(str(text).encode()) if plain else None
    return found


def judge_files(found: Mapping[str, Mapping[str, str]], planned: Mapping[str, Mapping[str, str | None]]) -> Result:
    """``found``: container → path → digest of what lies there."""
    problems = []
    for name, there in sorted(found.items()):
        wanted = planned[name]
        problems += [f"{name}: {path} is not the program's" for path in sorted(there.keys() - wanted.keys())]
        problems += [f"{name}: {path} is missing" for path in sorted(wanted.keys() - there.keys())]
        problems += [
            f"{name}: {path} is not what the program writes"
            for path in sorted(wanted.keys() & there.keys())
            if wanted[path] is not None and wanted[path] != there[path]
        ]
    known = sum(value is not None for name in found for value in planned[name].values())
    secret = sum(value is None for name in found for value in planned[name].values())
    return judged(f"{known} files read and compared; {secret} files with secrets are only known to be there", problems)


def _files(live: Live) -> Result:
    planned = planned_files(live.recording)
    there = {name_of(each): live.by_machine[machine] for machine, every in live.on_machines.items() for each in every}
    found = {
        name: {
            f"{folder}/{file}": digest(content)
            for folder in sorted({path.rpartition("/")[0] for path in planned[name]})
            for file, content in there[name].files(name, folder).items()
        }
        for name, _ in nodes(live)
        if name in planned and name in there
    }
    if live.topology.cluster:
        configs = planned_configs(live.recording)
        data = services.config_data(live.manager.configs(*configs))
        found |= {OF_SWARM: {name: digest(content) for name, content in data.items()}}
        planned |= {OF_SWARM: dict(configs)}
    return judge_files(found, planned)


def planned_configs(recording: Recording) -> dict[str, str]:
    """Files that tasks get, by the name that Swarm has them under → digest of the content. Secrets are not among them:
    Swarm hands those out to tasks alone."""
    return {
        str(found.props["name"]): digest(base64.b64decode(found.props["data"])) for found in recording.of_type(CONFIG)
    }


def digest(content: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()


def _containers(live: Live) -> Result:
    if live.topology.cluster is None:
        return judge_containers(live.containers, live.planned)
    plain = judge_containers([each for each in live.containers if not service_of(each)], live.planned)
    planned, manager = live.planned_services, live.manager
    networks = {str(each["Id"]): str(each["Name"]) for each in live.networks}
    problems = [
        *plain.evidence[1:],
        *services.judge(live.services, planned, networks, live.topology, live.stack),
        *services.judge_tasks(live.containers, manager.tasks(*services.names(live.services)), planned,
                              len(live.machines)),
    ]  # fmt: skip
    seen = f"{plain.evidence[0]}; {len(live.services)} services on the Swarm, {len(planned)} in the program"
    return judged(seen, problems)


def _digests(live: Live) -> Result:
    return judge_digests(live.containers, live.planned)


_REPLACE = "Run `pulumi up --refresh`; for a container that somebody changed by hand, remove it first."
CHECKS = (
    Check(
        "containers",
        (9,),
        "Every container of the program is there as declared and runs, and there is no other one.",
        "operations",
        _REPLACE,
        _containers,
    ),
    Check("images", (9,), "Every container runs the image that the program names.", "supply-chain", _REPLACE, _images),
    Check(
        "digests", (9,), "Every container has the files of the digest that the program computes.", "operations",
        _REPLACE, _digests,
    ),
    Check(
        "files", (9,), "Every file in a container is what the program writes, and there is no other one.",
        "operations", "Remove container, carrier and volume, and run `pulumi up`.", _files,
    ),
)  # fmt: skip
