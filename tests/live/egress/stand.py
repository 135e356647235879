"""The egress proxy as rendered, in a namespace with services, a stand-in for the resolver, and servers to call."""

import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from components.egress.component import USER
from components.egress.render import CERTIFICATE, CONFIG, KEY, Client, Values, files, values
from settings.stack import Settings
from tests.live.certificates import Certificate, authority, signed
from tests.live.namespace import Namespace, give, wait_until
from tests.samples import cloud_stack, service, settings
from topology.names import EGRESS_PORT
from topology.plan import plan

HERE = Path(__file__).parent
FIRST, SECOND, INSIDE, METADATA = "203.0.113.10", "203.0.113.20", "10.9.9.9", "169.254.169.254"
NAMES = {
    "api.example.net": ("2001:db8::10", FIRST),
    "other.example.net": (FIRST,),
    "a.wild.example.org": (SECOND,),
    "wild.example.org": (SECOND,),
    "rebind.example.net": (INSIDE,),
    "metadata.example.net": (METADATA,),
    "mapped.example.net": (f"::ffff:{INSIDE}",),
    "mixed.example.net": (FIRST, INSIDE),
    "carried-out.attacker.example": (SECOND,),
}
"""Most servers have an IPv6 address too, and there is no way to it from here."""
REBINDING = ("rebind.example.net", "metadata.example.net", "mapped.example.net", "mixed.example.net")
Spoiled = Mapping[str, Callable[[str], str]]


@dataclass(frozen=True)
class Outcome:
    """What a call came to: the proxy's status, what the server said, and the port that it was made from."""

    tunnel: int
    body: str
    port: int

    @property
    def reached(self) -> bool:
        """True where a server answered."""
        return self.body.startswith("reached")


@dataclass
class Stand:
    """A running proxy."""

    namespace: Namespace
    folder: Path
    values: Values
    authority: Certificate

    def client(self, service: str) -> Client:
        """A service on its link."""
        return next(client for client in self.values.clients if client.node == service)

    def call(self, service: str, url: str, *more: str, source: str | None = None) -> Outcome:
        """Call from a service's address, as its HTTP client would with HTTPS_PROXY."""
        client = self.client(service)
        proxy = ("--proxy", f"http://{client.proxy}:{EGRESS_PORT}", "--interface", source or str(client.address))
        show = ("--silent", "--max-time", "20", "--write-out", "\n%{http_connect} %{local_port}")
        trust = ("--cacert", str(self.authority.certificate))
        found = self.namespace.run("curl", *proxy, *show, *trust, *more, url)
        body, _, numbers = found.stdout.rpartition("\n")
        status, _, port = numbers.partition(" ")
        return Outcome(int(status), body, int(port))

    def logged(self, outcome: Outcome) -> list[dict[str, Any]]:
        """The log's lines about one call. squid writes them when it is done with the connection."""

        def lines() -> list[dict[str, Any]]:
            return [line for line in self.log if line["port"] == outcome.port]

        wait_until(lambda: bool(lines()), self.folder / "run/log")
        return lines()

    @property
    def log(self) -> list[dict[str, Any]]:
        """The proxy's log as it is now."""
        return [json.loads(line) for line in (self.folder / "run/log").read_text(encoding="utf-8").splitlines()]

    @property
    def looked_up(self) -> str:
        """The names that were asked for."""
        return (self.folder / "names.log").read_text(encoding="utf-8").lower()

    @property
    def connections(self) -> list[str]:
        """Addresses of servers that got a connection."""
        return re.findall(r"connection (\S+)", (self.folder / "server.log").read_text(encoding="utf-8"))


def stack() -> dict[str, Any]:
    """Two services that may call different domains."""
    raw = cloud_stack()
    raw["services"]["worker"] = service(egress=["api.example.net", "*.wild.example.org", *REBINDING])
    raw["services"]["mailer"] = service(egress=["other.example.net"], replicas=2)
    return raw


@contextmanager
def running(spoiled: Spoiled | None = None) -> Iterator[Stand]:
    """A proxy and what is around it. ``spoiled``: changes of files, to see what happens without a guard."""
    with proxy(settings(stack()), NAMES, (), spoiled or {}) as found, ExitStack() as cleanup:
        shown = signed(found.folder, found.authority, *NAMES, "localhost")
        server = ["python3", str(HERE / "server.py"), str(shown.certificate), str(shown.key)]
        addresses = [FIRST, SECOND, INSIDE, METADATA]
        start("server", [*server, *addresses], "listening", found.folder, found.namespace, cleanup)
        yield found


@contextmanager
def proxy(
    found: Settings, names: Mapping[str, tuple[str, ...]], addresses: Iterable[str], spoiled: Spoiled
) -> Iterator[Stand]:
    """The proxy of a stack, and a resolver that knows some names; the namespace has further addresses."""
    folder = Path(tempfile.mkdtemp(prefix="egress-"))
    folder.chmod(0o755)
    with ExitStack() as cleanup:
        cleanup.callback(shutil.rmtree, folder, ignore_errors=True)
        config, run = str(folder / "config"), folder / "run"
        given = replace(
            values(found, plan(found)), folder=config, secrets=config, log=f"{run}/log", errors=f"{run}/errors"
        )
        links = [str(address) for client in given.clients for address in (client.address, client.proxy)]
        namespace = Namespace([str(given.resolvers[0]), FIRST, SECOND, INSIDE, METADATA, *links, *addresses])
        cleanup.callback(namespace.close)
        trusted = authority(folder, "trusted")
        _write(folder, given, names, spoiled)
        resolver = ["unbound", "-d", "-p", "-c", str(folder / "names.conf")]
        start("names", resolver, "start of service", folder, namespace, cleanup, user=USER)
        squid = ["squid", "-N", "-f", str(folder / "config/squid.conf")]
        start("squid", squid, "Accepting", folder, namespace, cleanup, folder / "run/errors", USER)
        yield Stand(namespace, folder, given, trusted)


def start(
    name: str,
    command: list[str],
    ready: str,
    folder: Path,
    space: Namespace,
    cleanup: ExitStack,
    says: Path | None = None,
    user: str | None = None,
) -> None:
    """A daemon that runs until the cleanup, once it has said what shows that it is ready."""
    log = cleanup.enter_context((folder / f"{name}.log").open("w", encoding="utf-8"))
    cleanup.enter_context(space.running(*command, log=log, user=user))
    path = says or folder / f"{name}.log"
    wait_until(lambda: path.exists() and ready in path.read_text(encoding="utf-8"), path)


def _write(folder: Path, given: Values, names: Mapping[str, tuple[str, ...]], spoiled: Spoiled) -> None:
    environment = Environment(loader=FileSystemLoader(HERE), autoescape=False)  # noqa: S701 - no HTML
    text = environment.get_template("names.conf.j2").render(folder=folder, resolver=given.resolvers[0], names=names)
    (folder / "names.conf").write_text(text, encoding="utf-8")
    for name in ("config", "run"):
        (folder / name).mkdir()
    named = {path.removeprefix(f"{CONFIG}/"): content for path, content in files(given).items()}
    for name, content in (named | {name: change(named[name]) for name, change in spoiled.items()}).items():
        (folder / "config" / name).write_text(content, encoding="utf-8")
    unused = authority(folder, "unused")
    shutil.copy(unused.certificate, folder / "config" / CERTIFICATE)
    shutil.copy(unused.key, folder / "config" / KEY)
    give(folder, USER)
