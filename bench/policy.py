"""What the policy pack costs, beside the same rules as one policy of the SDK each. `python -m bench.policy`.

Both packs are real processes over real gRPC, measured in turns within one run.
"""

import itertools
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from policy.rules import table
from policy.rules.model import Resource
from tests.policy import pack, stacks

NAIVE = Path(__file__).resolve().parent / "policy_naive"
SMALL, LARGE = 1_000, 10_000
NAIVE_SIZE = 200
"""Resources that the naive pack is given: ten thousand would take it several minutes."""
STARTS, TURNS, BLOCK = 5, 3, 50
MIN_FASTER, MAX_GROWTH = 5, 1.5


def stack_of(size: int) -> list[Resource]:
    """A clean stack of that many resources: a chain of services, each linked to the next."""
    found = stacks.cloud()
    links = [_link(index) for index in range((size - len(found)) // 3 + 1)]
    for index, (before, after) in enumerate(itertools.pairwise(links)):
        on = [(before, "10.129.0.2"), (after, "10.129.0.3")]
        found += [before, *stacks.container(f"s{index}", "service", on)]
    return found


def _link(index: int) -> Resource:
    return stacks.network(f"link-s{index}-s{index - 1}", "link", f"s{index}", f"s{index - 1}")


def timed(work: Callable[[Any], object], argument: object) -> float:
    """Seconds that something takes."""
    start = time.perf_counter()
    work(argument)
    return time.perf_counter() - start


def started(folder: Path) -> float:
    """Seconds from starting the process to its first answer."""
    begin = time.perf_counter()
    with pack.running(folder) as client:
        client.info()
        return time.perf_counter() - begin


def start_times() -> Iterator[str]:
    """Both packs in turns; the median of five."""
    turns = [(started(pack.PACK), started(NAIVE)) for _ in range(STARTS)]
    ours, naive = (statistics.median(times) for times in zip(*turns, strict=True))
    yield f"start                          {ours:8.2f} s (0.5 wanted)    naive {naive:8.2f} s"


def single(client: pack.Client, naive: pack.Client) -> Iterator[str]:
    """Analyze of one resource, in turns of one block each."""
    requests = [pack.analyze_request(entry) for entry in stack_of(SMALL)]
    ours, theirs = [], []
    for index in range(0, len(requests), BLOCK):
        block = requests[index : index + BLOCK]
        ours += [timed(client.stub.Analyze, each) for each in block]
        theirs += [timed(naive.stub.Analyze, each) for each in block]
    ours, theirs = sorted(ours), sorted(theirs)
    for name, part in (("p50", 0.5), ("p95", 0.95)):
        at = int(part * (len(ours) - 1))
        wanted = "(1.0 wanted)" if name == "p50" else " " * 12
        yield f"Analyze {name}                    {ours[at] * 1e3:8.2f} ms {wanted}   naive {theirs[at] * 1e3:8.2f} ms"


def in_turns(client: pack.Client, naive: pack.Client) -> tuple[float, str]:
    """A whole stack, small enough for the naive pack; how many times faster, and the line."""
    stack = stack_of(NAIVE_SIZE)
    turns = [(timed(client.run, stack), timed(naive.run, stack)) for _ in range(TURNS)]
    ours, theirs = (statistics.median(times) for times in zip(*turns, strict=True))
    return theirs / ours, f"all of {NAIVE_SIZE:6} resources         {ours:8.2f} s                 naive {theirs:8.2f} s"


def growth(client: pack.Client) -> tuple[float, list[str]]:
    """Whole stacks, one resource after another and the stack rules at the end; growth of the cost per resource."""
    cost, lines = {}, []
    for size in (SMALL, LARGE):
        stack = stack_of(size)
        requests, at_end = [pack.analyze_request(entry) for entry in stack], pack.stack_request(stack)
        each = timed(lambda requests: [client.stub.Analyze(request) for request in requests], requests)
        end = timed(client.stub.AnalyzeStack, at_end)
        cost[size] = (each + end) / len(stack)
        lines.append(f"Analyze of {size:6} resources     {each:8.2f} s {'(12 wanted)' if size == LARGE else ''}")
        lines.append(f"AnalyzeStack of {size:6}          {end:8.2f} s {'(3 wanted)' if size == LARGE else ''}")
    return cost[LARGE] / cost[SMALL], lines


def main() -> int:
    """Print the figures. Exit code 1 if the cost grows with the stack, or the naive pack comes near."""
    rules = f"{len(table.RESOURCE_RULES)} resource rules, {len(table.STACK_RULES)} stack rules"
    print(f"policy pack of {rules}; naive: one policy of the SDK for each of them")
    print(*start_times(), sep="\n")
    with pack.running() as client, pack.running(NAIVE) as naive:
        print(*single(client, naive), sep="\n")
        faster, line = in_turns(client, naive)
        print(line)
        grown, lines = growth(client)
    print(*lines, sep="\n")
    print(f"{faster:.1f} times as fast as the naive pack (at least {MIN_FASTER})")
    print(f"cost of one resource, {LARGE} to {SMALL}: {grown:.2f} times (at most {MAX_GROWTH})")
    return 0 if faster >= MIN_FASTER and grown <= MAX_GROWTH else 1


if __name__ == "__main__":
    sys.exit(main())
