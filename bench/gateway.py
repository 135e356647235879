"""`python -m bench.gateway`: what the gateway's checks cost, beside other proxies on the same backend.

Every proxy has one worker. Rates are measured in turns, CPU time while all are asked at once, so that a busy machine
slows all of them alike. What counts is the ratio of two proxies in the same round, then the median over all rounds.
nginx writes its default access log, as the gateway writes its own.
"""

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from statistics import median, quantiles

from bench.gateway_proxies import TEMPLATES, Proxy, gateway, plain
from tests.live.gateway.nginx import PROGRAM

ROUNDS = 12
SECONDS, SECONDS_TOGETHER = 1, 5
CONNECTIONS = 32
BASE, OURS, BANS, ROUTES = "nginx-keepalive", "gateway", "gateway, 100,000 bans", "gateway, 500 routes"
STARTS: tuple[Callable[[int], Proxy], ...] = (
    partial(plain, BASE),
    partial(gateway, OURS),
    partial(gateway, BANS, bans=100_000),
    partial(gateway, ROUTES, routes=500),
    *(partial(plain, name) for name in ("nginx-default", "haproxy", "caddy")),
)
LEAST_RATE = 0.85
MOST_CPU = 1.2
MOST_MORE = 1.05
"""The most CPU time a request may take with bans or routes, as a multiple of that without."""


@dataclass
class Result:
    """Measurements of one proxy, one a round: requests a second, p99 in ms, CPU in µs a request."""

    rate: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def main() -> int:
    """Print the table; exit code 1 where the gateway is over a bound."""
    programs = ("wrk", PROGRAM, "haproxy", "caddy")
    missing = [name for name in programs if not shutil.which(name, path="/usr/local/bin:/usr/sbin:/usr/bin")]
    if missing:
        print(f"{', '.join(missing)} missing: make test-tools")
        return 1
    with ExitStack() as stack:
        stack.callback(plain("backend", 61).stop)
        results = _measured(_proxies(stack))
    _print(results)
    return _verdict(results)


def _proxies(stack: ExitStack) -> list[Proxy]:
    found = []
    for number, start in enumerate(STARTS, start=62):
        found.append(start(number))
        stack.callback(found[-1].stop)
    time.sleep(3)  # Caddy starts slowly.
    return found


def _measured(proxies: list[Proxy]) -> dict[str, Result]:
    results = {proxy.name: Result() for proxy in proxies}
    for proxy in proxies:
        _run(proxy, 1)
    for number in range(ROUNDS):
        for proxy in proxies if number % 2 else reversed(proxies):
            _, rate, p99 = _run(proxy, SECONDS)
            results[proxy.name].rate.append(rate)
            results[proxy.name].p99.append(p99)
        with ThreadPoolExecutor(len(proxies)) as together:
            for proxy, cpu in zip(proxies, together.map(_cpu, proxies), strict=True):
                results[proxy.name].cpu.append(cpu)
    return results


def _cpu(proxy: Proxy) -> float:
    """CPU time of a request in µs."""
    before = proxy.cpu_seconds()
    requests, _, _ = _run(proxy, SECONDS_TOGETHER)
    return (proxy.cpu_seconds() - before) / requests * 1e6


def _run(proxy: Proxy, seconds: int) -> tuple[int, float, float]:
    """Requests, requests a second and p99 in ms. Raises ``RuntimeError`` where an answer was an error."""
    command = [
        "wrk",
        "-t1",
        f"-c{CONNECTIONS}",
        f"-d{seconds}s",
        "--latency",
        "--timeout",
        "30s",
        "-s",
        str(TEMPLATES / "visitor.lua"),
    ]
    text = subprocess.run(
        [*command, f"http://{proxy.address}/api/items/1?page=2"], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    if "Non-2xx" in text or "Socket errors" in text:
        raise RuntimeError(f"{proxy.name}: {text}")
    number, unit = re.findall(r"99%\s+([\d.]+)(us|ms|s)", text)[0]
    requests = int(re.findall(r"(\d+) requests in", text)[0])
    rate = float(re.findall(r"Requests/sec:\s+([\d.]+)", text)[0])
    return requests, rate, float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def _ratios(results: dict[str, Result], name: str, base: str, what: str) -> list[float]:
    """One proxy's measurements as multiples of another's, round by round."""
    return [one / other for one, other in zip(getattr(results[name], what), getattr(results[base], what), strict=True)]


def _spread(ratios: list[float]) -> str:
    """The median, and between which ratios half of the rounds lie."""
    low, _, high = quantiles(ratios, n=4)
    return f"{median(ratios):.2f} ({low:.2f} to {high:.2f})"


def _print(results: dict[str, Result]) -> None:
    print(f"{'one worker each':24}{'requests/s':>12}{'ratio':>21}{'p99 ms':>9}{'CPU µs':>9}{'ratio':>21}")
    for name, result in results.items():
        rate, cpu = (_spread(_ratios(results, name, BASE, what)) for what in ("rate", "cpu"))
        print(
            f"{name:24}{median(result.rate):12.0f}{rate:>21}{median(result.p99):9.2f}{median(result.cpu):9.1f}{cpu:>21}"
        )


def _verdict(results: dict[str, Result]) -> int:
    rate, cpu = (_ratios(results, OURS, BASE, what) for what in ("rate", "cpu"))
    bans, routes = (_ratios(results, name, OURS, "cpu") for name in (BANS, ROUTES))
    checks = [
        (f"gateway: {_spread(rate)} of nginx's rate (at least {LEAST_RATE})", median(rate) >= LEAST_RATE),
        (f"gateway: {_spread(cpu)} of nginx's CPU a request (at most {MOST_CPU})", median(cpu) <= MOST_CPU),
        (f"100,000 bans: {_spread(bans)} of the CPU without (at most {MOST_MORE})", median(bans) <= MOST_MORE),
        (f"500 routes: {_spread(routes)} of the CPU without (at most {MOST_MORE})", median(routes) <= MOST_MORE),
    ]
    for text, good in checks:
        print(f"{'ok  ' if good else 'OVER'} {text}")
    return 0 if all(good for _, good in checks) else 1


if __name__ == "__main__":
    sys.exit(main())
