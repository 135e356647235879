"""The resolver as rendered, in a namespace with a stand-in for the internet that it asks."""

import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from components.resolver.component import USER
from components.resolver.render import CONFIG, Values, files, values
from tests.live.certificates import Certificate, authority, signed
from tests.live.namespace import Namespace, give, wait_until
from tests.samples import cloud_stack, settings
from topology.plan import plan

HERE = Path(__file__).parent
Spoiled = Mapping[str, Callable[[str], str]]
NAMES = ("cloudflare-dns.com", "dns.quad9.net")


@dataclass(frozen=True)
class Answer:
    """What dig was told."""

    status: str
    records: tuple[str, ...]
    authentic: bool


@dataclass
class Stand:
    """A running resolver. ``started_in`` is the time in seconds until it was ready to answer."""

    namespace: Namespace
    folder: Path
    values: Values
    process: "subprocess.Popen[str]"
    started_in: float

    def ask(self, name: str, kind: str = "A", server: str | None = None, *more: str) -> Answer:
        """Ask the resolver."""
        options = ("+noall", "+comments", "+answer", "+tries=1", "+time=8", "+dnssec")
        found = self.namespace.run("dig", f"@{server or self.values.address}", *options, *more, "-q", name, "-t", kind)
        status = re.search(r"status: (\w+)", found.stdout)
        flags = re.search(r"flags: ([a-z ]*);", found.stdout)
        lines = [line.split(maxsplit=4) for line in found.stdout.splitlines() if line and not line.startswith(";")]
        records = tuple(sorted(line[4] for line in lines if line[3] == kind))
        return Answer(status[1] if status else "none", records, bool(flags and "ad" in flags[1].split()))

    def reverse(self, address: str) -> Answer:
        """Ask for the name of an address."""
        return self.ask(".".join([*reversed(address.split(".")), "in-addr.arpa"]), "PTR")

    @property
    def asked(self) -> str:
        """The stand-in's log of questions, in lower case."""
        return (self.folder / "upstream.log").read_text(encoding="utf-8").lower()

    @property
    def log(self) -> str:
        """The resolver's own log."""
        return (self.folder / "resolver.log").read_text(encoding="utf-8")


def stack(**resolver: Any) -> dict[str, Any]:
    """A stack file with settings of the resolver."""
    return cloud_stack(resolver=resolver)


@contextmanager
def running(
    raw: dict[str, Any] | None = None, *, forged: str | None = None, spoiled: Spoiled | None = None
) -> Iterator[Stand]:
    """A resolver and the stand-in. ``forged``: the stand-in's certificate is of another "authority" or "name".
    ``spoiled``: changes of files, to see what happens without a guard."""
    found = settings(raw or stack())
    folder = Path(tempfile.mkdtemp(prefix="resolver-"))
    folder.chmod(0o755)
    with ExitStack() as cleanup:
        cleanup.callback(shutil.rmtree, folder, ignore_errors=True)
        trusted, shown = _certificates(folder, forged)
        given = replace(
            values(found, plan(found)),
            anchors=(_signed_root(folder),),
            authorities=str(trusted.certificate),
            folder=str(folder / "config"),
            scratch=str(folder / "run"),
        )
        upstreams = [str(upstream.address) for upstream in found.resolver.upstreams]
        namespace = Namespace([str(given.address), "10.128.0.4", "192.0.2.9", *upstreams])
        cleanup.callback(namespace.close)
        _write(folder, upstreams, shown, _named(given, spoiled or {}))
        _start("upstream", folder / "upstream.conf", folder, namespace, cleanup)
        begin = time.monotonic()
        process = _start("resolver", folder / "config/unbound.conf", folder, namespace, cleanup)
        yield Stand(namespace, folder, given, process, time.monotonic() - begin)


def _start(name: str, config: Path, folder: Path, namespace: Namespace, cleanup: ExitStack) -> "subprocess.Popen[str]":
    path = folder / f"{name}.log"
    log = cleanup.enter_context(path.open("w", encoding="utf-8"))
    process = cleanup.enter_context(namespace.running("unbound", "-d", "-p", "-c", str(config), log=log, user=USER))
    wait_until(lambda: "start of service" in path.read_text(encoding="utf-8"), path)
    return process


def _named(given: Values, spoiled: Spoiled) -> dict[str, str]:
    named = {path.removeprefix(f"{CONFIG}/"): text for path, text in files(given).items()}
    return named | {name: change(named[name]) for name, change in spoiled.items()}


def _write(folder: Path, upstreams: list[str], shown: Certificate, config: dict[str, str]) -> None:
    environment = Environment(loader=FileSystemLoader(HERE), autoescape=False)  # noqa: S701 - no HTML
    context = {"folder": folder, "addresses": upstreams, "certificate": shown}
    text = environment.get_template("upstream.conf.j2").render(context)
    (folder / "upstream.conf").write_text(text, encoding="utf-8")
    for name in ("config", "run"):
        (folder / name).mkdir()
    for path, content in config.items():
        (folder / "config" / path).write_text(content, encoding="utf-8")
    give(folder, USER)


def _certificates(folder: Path, forged: str | None) -> tuple[Certificate, Certificate]:
    trusted, other = authority(folder, "trusted"), authority(folder, "other")
    if forged == "name":
        return trusted, signed(folder, trusted, "dns.example.net")
    return trusted, signed(folder, other if forged == "authority" else trusted, *NAMES)


def _signed_root(folder: Path) -> str:
    """Sign the root zone, spoil one of its records, and return the anchor of its key."""
    shutil.copy(HERE / "root.zone", folder)
    made = _in(folder, "ldns-keygen", "-r", "/dev/urandom", "-a", "ECDSAP256SHA256", "-k", ".").strip()
    _in(folder, "ldns-signzone", "root.zone", made)
    zone = folder / "root.zone.signed"
    zone.write_text(zone.read_text(encoding="utf-8").replace("203.0.113.20", "203.0.113.21"), encoding="utf-8")
    return " ".join((folder / f"{made}.ds").read_text(encoding="utf-8").split())


def _in(folder: Path, *command: str) -> str:
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
