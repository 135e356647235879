"""The stack as a visitor meets it: names, connections, TLS, answers. Nothing is cached, no redirect is followed."""

import http.client
import ipaddress
import secrets
import socket
import ssl
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ops.audit.cloud import Address
from ops.audit.result import NotMeasuredError

SECONDS = 15
HTTP, HTTPS = 80, 443
MAX_BODY = 1_000_000
LOCAL_REFUSALS = ("NO_PROTOCOLS_AVAILABLE", "NO_CIPHERS_AVAILABLE")
"""Reasons of this machine's own OpenSSL, with which it does not even ask."""
AGENT = "zero-exposure-audit"


@dataclass(frozen=True)
class Answer:
    """Header names are in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""


def system_resolve(name: str) -> tuple[Address, ...]:
    """Every address of a name, as this machine's resolver has it; none where there is no such name."""
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)):
            return ()
        raise NotMeasuredError(f"{name} can't be resolved from here: {error.strerror}") from None
    return tuple(dict.fromkeys(ipaddress.ip_address(entry[4][0]) for entry in found))


def system_connect(address: Address, port: int) -> socket.socket:
    """A TCP connection. Raises ``OSError``."""
    return socket.create_connection((str(address), port), timeout=SECONDS)


def system_ask(address: Address, port: int, datagram: bytes) -> bytes:
    """What comes back for one datagram. Raises ``OSError``, a time-out too."""
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sender:
        sender.settimeout(3)
        sender.connect((str(address), port))
        sender.send(datagram)
        return sender.recv(2048)


@dataclass(frozen=True)
class Web:
    """Everything that goes out from here to public names. ``trust`` holds the authorities that certificates need."""

    resolve: Callable[[str], tuple[Address, ...]] = system_resolve
    connect: Callable[[Address, int], socket.socket] = system_connect
    ask: Callable[[Address, int, bytes], bytes] = system_ask
    trust: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    def get(
        self,
        host: str,
        path: str = "/",
        *,
        plain: bool = False,
        address: Address | None = None,
        port: int | None = None,
    ) -> Answer:
        """The answer to a GET. Raises ``NotMeasuredError`` where there is none."""
        try:
            with self._open(host, port or (HTTP if plain else HTTPS), address) as line:
                if plain:
                    return _get(line, host, path)
                with self.trust.wrap_socket(line, server_hostname=host) as secured:
                    return _get(secured, host, path)
        except (OSError, http.client.HTTPException) as error:
            raise NotMeasuredError(f"{host} gives no answer: {error}") from None

    def accepts(self, host: str, version: ssl.TLSVersion) -> bool:
        """Whether a host completes a handshake with one version of TLS, whatever its certificate."""
        context = _only(version)
        try:
            line = self._open(host, HTTPS)
        except OSError as error:
            raise NotMeasuredError(f"{host} takes no connection: {error}") from None
        try:
            with line, context.wrap_socket(line, server_hostname=host):
                return True
        except ssl.SSLError as error:
            if error.reason in LOCAL_REFUSALS:
                raise NotMeasuredError(f"OpenSSL here can't offer {version.name}") from None
            return False
        except OSError:
            return False

    def certificate(self, host: str) -> Mapping[str, object]:
        """The certificate that a host shows. Raises ``ssl.SSLError`` where no browser would take it."""
        try:
            with self._open(host, HTTPS) as line, self.trust.wrap_socket(line, server_hostname=host) as secured:
                return secured.getpeercert() or {}
        except ssl.SSLError:
            raise
        except OSError as error:
            raise NotMeasuredError(f"{host} shows no certificate: {error}") from None

    def reaches(self, address: Address, ports: tuple[int, ...]) -> bool:
        """Whether at least one of the ports takes a connection."""
        for port in ports:
            try:
                self.connect(address, port).close()
            except OSError:
                continue
            return True
        return False

    def speaks_udp(self, address: Address) -> bool:
        """Whether a datagram to an HTTP/3 server comes back: one with a version that no server knows has to be answered
        with those that it does know (RFC 9000, 6.1)."""
        packet = b"\xc0\x1a\x2a\x3a\x4a\x08" + secrets.token_bytes(8) + b"\x08" + secrets.token_bytes(8)
        try:
            return len(self.ask(address, HTTPS, packet.ljust(1200, b"\0"))) > 0
        except OSError:
            return False

    def _open(self, host: str, port: int, address: Address | None = None) -> socket.socket:
        found = (address,) if address else self.resolve(host)
        if not found:
            raise NotMeasuredError(f"{host} does not resolve from here")
        problem: OSError | None = None
        for candidate in found:
            try:
                return self.connect(candidate, port)
            except OSError as error:
                problem = error
        raise problem or OSError("no address")


def _get(line: socket.socket, host: str, path: str) -> Answer:
    connection = http.client.HTTPConnection(host)
    connection.sock = line
    connection.request("GET", path, headers={"Host": host, "User-Agent": AGENT, "Accept": "*/*"})
    response = connection.getresponse()
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, response.read(MAX_BODY).decode("utf-8", "replace"))


def _only(version: ssl.TLSVersion) -> ssl.SSLContext:
    """A client that offers one version and takes any certificate: it asks what a server would accept."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that old versions are bad is the reason to ask
        context.minimum_version = context.maximum_version = version
    return context
