"""Services behind the gateway: small HTTP servers that tell what reached them."""

import asyncio
import base64
import contextlib
import hashlib
import json
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

FINGERPRINT = "Servlet/9.9 (ExampleServer/1.2.3)"
KEPT = (
    "Cache-Control: public\r\nCache-Control: max-age=7200\r\nCDN-Cache-Control: max-age=7200\r\n"
    "Cloudflare-CDN-Cache-Control: max-age=7200\r\n"
)
"""What a service says that wants its answer to be kept by whoever passes it on."""
EXISTING = ("/", "/ok", "/echo", "/admin", "/admin/users", "/upload")


@dataclass
class Backend:
    """One service on an address of its own. Knows ``EXISTING`` paths, and echoes what it got as JSON."""

    address: str
    port: int
    name: str
    hangs_up: bool = False
    seen: list[dict[str, Any]] = field(default_factory=list)
    _stopping: bool = False
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    def start(self) -> "Backend":
        """Serve in a thread of its own until ``stop``."""
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        if not started.wait(10):
            raise TimeoutError(f"{self.name} did not start")
        return self

    def stop(self) -> None:
        """Close the listener and every open connection, as a killed container does."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, self.address, self.port, backlog=512))
        started.set()
        self._loop.run_forever()
        self._stopping = True
        server.close()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Cancelled when the service is killed: its connections then are to end at once.
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            await self._answers(reader, writer)
        if self._stopping:
            writer.transport.abort()
        else:
            writer.close()

    async def _answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            method, target, _ = head[0].split(" ", 2)
            headers = {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in head[1:] if line}
            path = unquote(urlsplit(target).path)
            special = SPECIAL.get(path)
            if special:
                await special(reader, writer, headers)
                continue
            body = await _body(reader, headers)
            self.seen.append({"method": method, "target": target, "headers": headers, "body": len(body)})
            if self.hangs_up:
                return
            writer.write(self._answer(method, path, self.seen[-1]))
            await writer.drain()

    def _answer(self, method: str, path: str, request: dict[str, Any]) -> bytes:
        if request["headers"].get("x-kept"):
            return _response(200, "a,b", method).replace(b"Via:", f"{KEPT}Via:".encode())
        if redirect := request["headers"].get("x-redirect"):
            target = request["target"].removeprefix("/the.team") if redirect == "rest" else request["target"]
            return _response(302, "", method).replace(b"Via:", f"Location: /login?next={target}\r\nVia:".encode())
        if path.startswith("/login") and method == "POST":
            return _response(401, "wrong password", method)
        if path.startswith("/status/"):
            return _response(int(path[8:11]), f"{FINGERPRINT} at {path}", method)
        if path not in EXISTING:
            return _response(404, f"{FINGERPRINT}: cannot {method} {path}", method)
        return _response(200, json.dumps({"service": self.name, **request}), method)


def _response(status: int, text: str, method: str) -> bytes:
    head = (
        f"HTTP/1.1 {status} Status\r\nServer: {FINGERPRINT}\r\nX-Powered-By: {FINGERPRINT}\r\nVia: 1.1 proxy\r\n"
        f"X-Frame-Options: ALLOWALL\r\nContent-Type: text/plain\r\nContent-Length: {len(text.encode())}\r\n\r\n"
    )
    return head.encode() + (b"" if method == "HEAD" else text.encode())


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding") == "chunked":
        parts = b""
        while size := int((await reader.readline()).strip() or b"0", 16):
            parts += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
        return parts
    return await reader.readexactly(int(headers.get("content-length", "0")))


Special = Callable[[asyncio.StreamReader, asyncio.StreamWriter, dict[str, str]], Coroutine[Any, Any, None]]


async def _websocket(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, headers: dict[str, str]) -> None:
    """Accepts an upgrade and sends every byte back; answers 426 where none was asked for."""
    if headers.get("upgrade") != "websocket":
        writer.write(_response(426, "no upgrade arrived", "GET"))
        return
    key = headers["sec-websocket-key"].encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    accept = base64.b64encode(hashlib.sha1(key).digest()).decode()  # noqa: S324 - WebSocket's own handshake
    writer.write(
        f"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
    )
    while data := await reader.read(4096):
        writer.write(data)
        await writer.drain()


async def _events(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _headers: dict[str, str]) -> None:
    """Server-sent events: the first at once, the second only after a second."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    for number in (1, 2):
        data = f"data: {number}\n\n".encode()
        writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        await writer.drain()
        await asyncio.sleep(1)
    writer.write(b"0\r\n\r\n")


async def _first_bytes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, headers: dict[str, str]) -> None:
    """Answers as soon as the first bytes of an upload are here: proof that nobody collected it before."""
    first = await reader.read(1024)
    writer.write(_response(200, f"first {len(first)} bytes of {headers.get('content-length')}", "POST"))
    await writer.drain()
    raise ConnectionResetError


async def _wait(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _headers: dict[str, str]) -> None:
    await asyncio.sleep(1)
    writer.write(_response(200, "waited", "GET"))


SPECIAL: dict[str, Special] = {
    "/few/wait": _wait,
    "/socket": _websocket,
    "/events": _events,
    "/upload/stream": _first_bytes,
}
