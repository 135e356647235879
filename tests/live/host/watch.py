"""Tries a few ports again and again from power-on. Prints each change as a line: time, address, port, outcome.

Usage: watch.py ADDRESS,ADDRESS PORT,PORT. ``silent`` is no answer at all, ``closed`` a refusal, ``open`` an open port.
"""

import asyncio
import sys
import time

PATIENCE = 0.3
"""Seconds. The guest is one hop away."""


async def outcome(address: str, port: int) -> str:
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(address, port), PATIENCE)
    except ConnectionRefusedError:
        return "closed"
    except (OSError, TimeoutError):
        return "silent"
    writer.close()
    return "open"


async def main(addresses: list[str], ports: list[int]) -> None:
    targets = [(address, port) for address in addresses for port in ports]
    last: dict[tuple[str, int], str] = {}
    while True:
        outcomes = await asyncio.gather(*(outcome(*target) for target in targets))
        for target, now in zip(targets, outcomes, strict=True):
            if last.get(target) != now:
                print(time.time(), *target, now, flush=True)
            last[target] = now


asyncio.run(main(sys.argv[1].split(","), [int(port) for port in sys.argv[2].split(",")]))
