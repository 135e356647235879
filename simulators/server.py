"""The HTTP server of a simulated API, on loopback alone."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from aiohttp import web

from simulators import control
from simulators.api import Api
from simulators.call import Answer, Call, Route
from simulators.faults import Fault

LOOPBACK = "127.0.0.1"
START_SECONDS = 30
BIGGEST = 8 * 1024 * 1024
Endpoint = Callable[[web.Request], Awaitable[web.StreamResponse]]


@contextmanager
def serving(api: Api, port: int = 0) -> Iterator[str]:
    """Serve in a thread of its own; yields the address without the API's prefix, such as ``http://127.0.0.1:4711``."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name=f"simulator {api.prefix}", daemon=True)
    thread.start()
    runner = web.AppRunner(application(api), access_log=None, shutdown_timeout=0)
    try:
        bound = asyncio.run_coroutine_threadsafe(_start(runner, port), loop).result(START_SECONDS)
        yield f"http://{LOOPBACK}:{bound}"
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(START_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(START_SECONDS)
        loop.close()


async def _start(runner: web.AppRunner, port: int) -> int:
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, port).start()
    return int(runner.addresses[0][1])


def application(api: Api) -> web.Application:
    """The API under its prefix, and the control paths beside it."""
    app = web.Application(client_max_size=BIGGEST)
    _add(app, control.PREFIX, control.routes(api), lambda route: _controlled(api, route))
    _add(app, api.prefix, api.routes, lambda route: _simulated(api, route))
    app.router.add_route("*", "/{anything:.*}", _simulated(api, None))
    return app


def _add(app: web.Application, prefix: str, routes: Sequence[Route], endpoint: Callable[[Route], Endpoint]) -> None:
    for route in routes:
        app.router.add_route(route.method, prefix + route.pattern, endpoint(route))


def _controlled(api: Api, route: Route) -> Endpoint:
    async def endpoint(request: web.Request) -> web.StreamResponse:
        answer = route.handler(await _call(api, request))
        api.store.save()
        return _response(answer, {})

    return endpoint


def _simulated(api: Api, route: Route | None) -> Endpoint:
    async def endpoint(request: web.Request) -> web.StreamResponse:
        call = await _call(api, request)
        fault = api.faults.strike(call.method, call.path)
        if fault and fault.kind in ("silence", "delay"):
            await asyncio.sleep(fault.seconds)
        answer = _settled(api, route, call, fault)
        _log(api, call, answer, fault)
        if answer is None or (fault and fault.kind == "lost_response"):
            return _hang_up(request)
        return _response(answer, api.words.headers(api.limit))

    return endpoint


def _settled(api: Api, route: Route | None, call: Call, fault: Fault | None) -> Answer | None:
    """The answer, None where there is none. Nothing awaits in here, so calls never see each other half done."""
    api.settle(api.store, api.clock)
    api.remember()
    if fault and fault.kind == "silence":
        return None
    if fault and fault.kind == "server_error":
        return api.words.server_error().answer
    if fault and fault.kind == "rate_limit":
        return api.words.rate_limited(round(fault.seconds)).answer
    if not api.limit.take():
        return api.words.rate_limited(api.limit.wait).answer
    return api.answer(route, call)


def _log(api: Api, call: Call, answer: Answer | None, fault: Fault | None) -> None:
    status = answer.status if answer else None
    kind = fault.kind if fault else None
    api.store.calls.append(
        {"at": api.clock.stamp(), "method": call.method, "path": call.path, "status": status, "fault": kind}
    )
    api.store.save()


async def _call(api: Api, request: web.Request) -> Call:
    raw = await request.read()
    return Call(
        method=request.method,
        path=request.path.removeprefix(api.prefix),
        match=request.match_info,
        query={key: request.query.getall(key) for key in request.query},
        headers={name.lower(): value for name, value in request.headers.items()},
        token=request.headers.get("Authorization", "").removeprefix("Bearer "),
        raw=raw,
        body=_parsed(raw),
        store=api.store,
        clock=api.clock,
    )


def _parsed(body: bytes) -> Any:  # noqa: ANN401 - any JSON
    """The JSON, None for no body, Ellipsis for what is no JSON."""
    if not body.strip():
        return None
    try:
        return json.loads(body)
    except ValueError:
        return ...


def _response(answer: Answer, headers: dict[str, str]) -> web.Response:
    every = {**headers, **answer.headers}
    if answer.body is None:
        return web.Response(status=answer.status, headers=every)
    if isinstance(answer.body, str):
        return web.Response(text=answer.body, status=answer.status, headers=every)
    # Without a charset: Docker's client takes no other type for JSON.
    body = json.dumps(answer.body).encode()
    return web.Response(body=body, content_type="application/json", status=answer.status, headers=every)


def _hang_up(request: web.Request) -> web.Response:
    """End the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
