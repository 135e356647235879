"""`python -m bench.gateway`: what the gateway's checks cost, beside other proxies on the same backend.

Every proxy has one worker. They take turns, so that a busy machine slows them all; what counts is ratios of one run.
"""

import re
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median

from bench.gateway_proxies import TEMPLATES, Proxy, gateway, plain

ROUNDS = 12
SECONDS = 1
CONNECTIONS = 32
BASE, OURS, BANS, ROUTES = "nginx-keepalive", "gateway", "gateway, 100,000 bans", "gateway, 500 routes"
OTHERS = ("nginx-default", "haproxy", "caddy")
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
    missing = [
        name for name in ("wrk", "nginx", "haproxy", "caddy") if not shutil.which(name, path="/usr/sbin:/usr/bin")
    ]
    if missing:
        print(f"{', '.join(missing)} missing: make test-tools")
        return 1
    with ExitStack() as stack:
        stack.callback(plain("backend", 61).stop)
        proxies = _proxies()
        for proxy in proxies:
            stack.callback(proxy.stop)
        results = _measured(proxies)
    _print(results)
    return _verdict(results)


def _proxies() -> list[Proxy]:
    found = [plain(BASE, 62), gateway(OURS, 63), gateway(BANS, 64, bans=100_000), gateway(ROUTES, 65, routes=500)]
    found += [plain(name, 66 + index) for index, name in enumerate(OTHERS)]
    time.sleep(3)  # Caddy starts slowly, and a hundred thousand bans are taken over in pieces.
    return found


def _measured(proxies: list[Proxy]) -> dict[str, Result]:
    results = {proxy.name: Result() for proxy in proxies}
    for proxy in proxies:
        _run(proxy, 1)
    for number in range(ROUNDS):
        for proxy in proxies if number % 2 else reversed(proxies):
            before = proxy.cpu_seconds()
            requests, rate, p99 = _run(proxy, SECONDS)
            results[proxy.name].rate.append(rate)
            results[proxy.name].p99.append(p99)
            results[proxy.name].cpu.append((proxy.cpu_seconds() - before) / requests * 1e6)
    return results


def _run(proxy: Proxy, seconds: int) -> tuple[int, float, float]:
    """Requests, requests a second and p99 in ms. Raises ``RuntimeError`` where an answer was an error."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", str(TEMPLATES / "visitor.lua")]
    text = subprocess.run(
        [*command, f"http://{proxy.address}/api/items/1?page=2"], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    if "Non-2xx" in text or "Socket errors" in text:
        raise RuntimeError(f"{proxy.name}: {text}")
    number, unit = re.findall(r"99%\s+([\d.]+)(us|ms|s)", text)[0]
    requests = int(re.findall(r"(\d+) requests in", text)[0])
    rate = float(re.findall(r"Requests/sec:\s+([\d.]+)", text)[0])
    return requests, rate, float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def _ratio(results: dict[str, Result], name: str, base: str, what: str) -> float:
    """Of the least disturbed round of each: the highest rate, the least CPU time."""
    best = max if what == "rate" else min
    return float(best(getattr(results[name], what)) / best(getattr(results[base], what)))


def _print(results: dict[str, Result]) -> None:
    print(f"{'one worker each':24}{'requests/s':>12}{'ratio':>7}{'p99 ms':>9}{'CPU µs':>9}{'ratio':>7}")
    for name, result in results.items():
        rate, cpu = (_ratio(results, name, BASE, what) for what in ("rate", "cpu"))
        best = f"{max(result.rate):12.0f}{rate:7.2f}{median(result.p99):9.2f}{min(result.cpu):9.1f}{cpu:7.2f}"
        print(f"{name:24}{best}")


def _verdict(results: dict[str, Result]) -> int:
    rate, cpu = (_ratio(results, OURS, BASE, what) for what in ("rate", "cpu"))
    bans, routes = (_ratio(results, name, OURS, "cpu") for name in (BANS, ROUTES))
    checks = [
        (f"gateway: {rate:.2f} of nginx's rate (at least {LEAST_RATE})", rate >= LEAST_RATE),
        (f"gateway: {cpu:.2f} of nginx's CPU a request (at most {MOST_CPU})", cpu <= MOST_CPU),
        (f"100,000 bans: {bans:.2f} of the CPU without (at most {MOST_MORE})", bans <= MOST_MORE),
        (f"500 routes: {routes:.2f} of the CPU without (at most {MOST_MORE})", routes <= MOST_MORE),
    ]
    for text, good in checks:
        print(f"{'ok  ' if good else 'OVER'} {text}")
    return 0 if all(good for _, good in checks) else 1


if __name__ == "__main__":
    sys.exit(main())
