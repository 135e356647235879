"""The gateway of a Swarm, on real nginx: behind its door, with services whose addresses come and go."""

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from components.gateway.render import Door, files
from tests.live.gateway.backend import Backend
from tests.live.gateway.connector import OPERATOR, VISITOR, Connector
from tests.live.gateway.nginx import Nginx, arguments, folder_for_nobody, need_nginx, wait_until, write
from tests.live.gateway.stand import (
    API_KEY,
    BACKEND_PORT,
    CONNECTOR,
    CROWDSEC_KEY,
    GATEWAY,
    STRANGER,
    Stand,
    loopback,
    values,
)

ID = re.compile(r'"request_id":"[0-9a-f]+"')
PORT, INNER, METRICS, NAMES_PORT = 8180, 8181, 9245, 5353
NAMES, FIRST, SECOND, GONE, OTHER_CONNECTOR = (loopback(number) for number in (30, 31, 32, 33, 34))


@dataclass
class Names:
    """Docker's DNS, as far as nginx asks it: names, and the addresses that they have right now."""

    known: dict[str, list[str]]
    _wire: socket.socket = field(init=False)
    _thread: threading.Thread = field(init=False)
    _over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._wire.settimeout(0.1)
        self._wire.bind((NAMES, NAMES_PORT))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Answer nobody any more; the thread ends, and only then the port is free."""
        self._over.set()
        self._thread.join()
        self._wire.close()

    def _serve(self) -> None:
        while not self._over.is_set():
            with suppress(TimeoutError):
                question, client = self._wire.recvfrom(512)
                self._wire.sendto(self._answer(question), client)

    def _answer(self, question: bytes) -> bytes:
        labels, place = [], 12
        while length := question[place]:
            labels.append(question[place + 1 : place + 1 + length].decode())
            place += 1 + length
        found = self.known.get(".".join(labels), [])
        records = b"".join(
            b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x00\x00\x04" + socket.inet_aton(address) for address in found
        )
        flags = b"\x81\x80" if found else b"\x81\x83"
        return (
            question[:2] + flags + b"\x00\x01" + len(found).to_bytes(2) + bytes(4) + question[12 : place + 5] + records
        )


@pytest.fixture
def names() -> Iterator[Names]:
    found = Names({"api": [FIRST], "panel": [SECOND], "ops": [SECOND], "live": [FIRST]})
    yield found
    found.stop()


@pytest.fixture
def stand(names: Names) -> Iterator[Stand]:
    """A gateway with its door, and two services' tasks."""
    need_nginx()
    folder = folder_for_nobody()
    given = values(
        folder,
        listen=f"127.0.0.1:{INNER}",
        metrics_listen=(f"{GATEWAY}:{METRICS}",),
        peer="127.0.0.1",
        door=Door(f"{GATEWAY}:{PORT}", f"{CONNECTOR}/32", f"{CONNECTOR}/32", f"{NAMES}:{NAMES_PORT}"),
    )
    write(folder, files(given) | {"secrets/api-key-partner": API_KEY, "secrets/crowdsec-key": CROWDSEC_KEY})
    backends = {name: Backend(address, BACKEND_PORT, name).start() for name, address in (("a", FIRST), ("b", SECOND))}
    nginx = Nginx(folder, f"http://{GATEWAY}:{METRICS}/healthy", arguments(folder), PORT)
    try:
        yield Stand(nginx, Connector((GATEWAY, PORT), CONNECTOR), backends)
    finally:
        nginx.stop()
        for backend in backends.values():
            backend.stop()


def test_a_connector_of_the_ingress_network_is_believed(stand: Stand) -> None:
    answer = stand.connector.ask("/")
    assert answer.status == 200
    assert stand.logged(answer.headers["x-request-id"])["visitor"] == VISITOR


def test_whoever_comes_from_elsewhere_is_cut_off_before_anything_is_read(stand: Stand) -> None:
    assert Connector((GATEWAY, PORT), STRANGER).ask("/").status == 0


def test_what_is_hidden_from_visitors_stays_hidden(stand: Stand) -> None:
    hidden, absent = stand.connector.ask("/admin/users"), stand.connector.ask("/nothing")
    assert hidden.status == absent.status == 404
    assert ID.sub("", hidden.text) == ID.sub("", absent.text)
    assert stand.connector.ask("/admin/users", visitor=OPERATOR).status == 200


def test_a_task_that_moved_is_found(stand: Stand, names: Names) -> None:
    assert stand.connector.ask("/").status == 200
    names.known["api"] = [SECOND]
    before = len(stand.backends["b"].seen)
    wait_until(lambda: stand.connector.ask("/").status == 200 and len(stand.backends["b"].seen) > before)


def test_a_task_that_is_gone_fails_no_request_that_may_be_repeated(stand: Stand, names: Names) -> None:
    names.known["api"] = [FIRST, GONE]
    assert {stand.connector.ask("/").status for _ in range(40)} == {200}


def test_control_without_another_task_a_request_fails_and_the_next_task_mends_it(stand: Stand, names: Names) -> None:
    names.known["api"] = [GONE]
    wait_until(lambda: stand.connector.ask("/").status == 502)
    names.known["api"] = []
    wait_until(lambda: stand.connector.ask("/").status in (502, 503))
    names.known["api"] = [FIRST]
    wait_until(lambda: stand.connector.ask("/").status == 200)


def test_measurements_are_for_those_who_watch(stand: Stand) -> None:
    def asks(source: str) -> bytes:
        with socket.create_connection((GATEWAY, METRICS), 5, (source, 0)) as wire:
            wire.sendall(b"GET /metrics HTTP/1.0\r\nHost: metrics\r\n\r\n")
            return wire.recv(15)

    assert b"200" in asks(CONNECTOR)
    assert b"403" in asks(OTHER_CONNECTOR)
