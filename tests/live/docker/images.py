"""Images without a registry: small ones, made of Debian's programs, under the very names that the stack asks for.

They are written as the archive that `docker load` reads. Layers are shared, and the whole is kept in ``.cache`` under
the hash of what it is made of.
"""

import hashlib
import io
import json
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

STANDINS = Path(__file__).parent / "standins"
CACHE = Path(__file__).parents[3] / ".cache" / "docker"
PATH = "/usr/lib/postgresql/15/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SKIPPED = re.compile(
    r"/(test|tests|idlelib|tkinter|ensurepip|lib2to3|pydoc_data|config-3[^/]*|llvmjit[^/]*|bitcode)(/|$)"
)
USERS = {"root": 0, "postgres": 70, "nobody": 65534}


@dataclass(frozen=True)
class Layer:
    """Files of one layer. ``programs`` bring the libraries that they need, and so do shared objects in ``trees``."""

    programs: tuple[str, ...] = ()
    trees: tuple[str, ...] = ()
    copies: dict[str, str] = field(default_factory=dict)
    """Path in the image → file of this machine."""
    links: dict[str, str] = field(default_factory=dict)
    """Path in the image → what it points to."""
    folders: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    """Path → owner, group, mode."""
    texts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Image:
    """An image's layers, and what its configuration says."""

    layers: tuple[Layer, ...]
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    user: str = ""
    env: dict[str, str] = field(default_factory=dict)
    stop_signal: str = "SIGTERM"


def archive(images: dict[str, Image]) -> Path:
    """The file with all images, by name; made once for each content."""
    key = hashlib.sha256(_ingredients(images).encode()).hexdigest()[:16]
    path = CACHE / f"{key}.tar"
    if not path.exists():
        shutil.rmtree(CACHE, ignore_errors=True)
        CACHE.mkdir(parents=True)
        unfinished = path.with_suffix(".new")
        _write(images, unfinished)
        unfinished.rename(path)
    return path


def ids(path: Path) -> dict[str, str]:
    """Name → id of each image in an archive: the hash of its configuration."""
    with tarfile.open(path) as tar:
        manifest = tar.extractfile("manifest.json")
        if manifest is None:
            raise ValueError(f"{path} has no manifest")
        return {entry["RepoTags"][0]: f"sha256:{Path(entry['Config']).stem}" for entry in json.load(manifest)}


def _ingredients(images: dict[str, Image]) -> str:
    """What decides the content: recipes, this file, our own programs, and the versions of Debian's."""
    own = [path.read_text(encoding="utf-8") for path in (Path(__file__), *sorted(STANDINS.glob("*")))]
    layers = [layer for image in images.values() for layer in image.layers]
    files = sorted({file for layer in layers for file in (*map(_found, layer.programs), *layer.trees)})
    stamps = [f"{file} {Path(file).stat().st_mtime_ns}" for file in files]
    return repr((sorted(images.items()), own, stamps))


def _write(images: dict[str, Image], path: Path) -> None:
    manifest = []
    with tarfile.open(path, "w") as tar:
        known: dict[int, str] = {}
        for name, image in images.items():
            for layer in image.layers:
                if id(layer) not in known:
                    known[id(layer)] = _add(tar, _layer(layer), "tar")
            digests = [known[id(layer)] for layer in image.layers]
            config = _add(tar, json.dumps(_config(image, digests), sort_keys=True).encode(), "json")
            layers = [f"{digest}.tar" for digest in digests]
            manifest.append({"Config": f"{config}.json", "RepoTags": [name], "Layers": layers})
        _entry(tar, "manifest.json", json.dumps(manifest).encode())


def _add(tar: tarfile.TarFile, content: bytes, suffix: str) -> str:
    digest = hashlib.sha256(content).hexdigest()
    _entry(tar, f"{digest}.{suffix}", content)
    return digest


def _config(image: Image, digests: list[str]) -> dict[str, Any]:
    environment = {"PATH": PATH, "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1", **image.env}
    return {
        "architecture": "amd64",
        "os": "linux",
        "config": {
            "Entrypoint": list(image.entrypoint),
            "Cmd": list(image.command),
            "User": image.user,
            "StopSignal": image.stop_signal,
            "Env": [f"{key}={value}" for key, value in environment.items()],
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in digests]},
    }


def _layer(layer: Layer) -> bytes:
    """A layer's tar. Everything lies at its real place, since /bin and /lib are links in Debian."""
    buffer = io.BytesIO()
    objects = {_found(program) for program in layer.programs} | set(_shared_objects(layer.trees))
    files = {path: Path(path) for path in (*objects, *_libraries(objects))}
    files |= {str(path): path for tree in layer.trees for path in _files(Path(tree))}
    files |= {place: Path(source) for place, source in layer.copies.items()}
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for place, (owner, group, mode) in layer.folders.items():
            entry = tarfile.TarInfo(place.strip("/"))
            entry.type, entry.uid, entry.gid, entry.mode = tarfile.DIRTYPE, owner, group, mode
            tar.addfile(entry)
        for link, target in ({name: f"usr/{name}" for name in ("bin", "sbin", "lib", "lib64")} | layer.links).items():
            entry = tarfile.TarInfo(link.strip("/"))
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            tar.addfile(entry)
        for place, path in sorted(files.items()):
            content = path.read_bytes()
            _entry(tar, _real(place), content, _mode(path, content), int(path.stat().st_mtime))
        for place, text in layer.texts.items():
            _entry(tar, _real(place), text.encode())
    return buffer.getvalue()


def _entry(tar: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644, changed: int = 0) -> None:
    entry = tarfile.TarInfo(name.lstrip("/"))
    entry.size, entry.mode, entry.mtime = len(content), mode, changed
    tar.addfile(entry, io.BytesIO(content))


def _mode(path: Path, content: bytes) -> int:
    """Debian's own mode; a script may be executed wherever it comes from."""
    return 0o755 if content.startswith(b"#!") else path.stat().st_mode & 0o755


def _real(place: str) -> str:
    return re.sub(r"^/(bin|sbin|lib|lib64)/", r"/usr/\1/", place)


def _found(program: str) -> str:
    """Where this machine has a program."""
    path = program if program.startswith("/") else shutil.which(program, path=f"{PATH}:/usr/local/bin")
    if path is None:
        raise FileNotFoundError(program)
    return path


def _files(tree: Path) -> Iterator[Path]:
    if tree.is_file():
        yield tree
        return
    yield from (path for path in sorted(tree.rglob("*")) if path.is_file() and not SKIPPED.search(str(path)))


def _shared_objects(trees: Iterable[str]) -> Iterator[str]:
    for tree in trees:
        yield from (str(path) for path in _files(Path(tree)) if ".so" in path.suffixes)


def _libraries(objects: set[str]) -> set[str]:
    """What the dynamic loader would look up for these files."""
    listed = subprocess.run(["ldd", *sorted(objects)], capture_output=True, text=True, check=False).stdout
    return set(re.findall(r"(?:=> |^\t)(/\S+) \(0x", listed, re.MULTILINE))
