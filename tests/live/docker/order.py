"""Makes the resources of a graph: what nobody waits for at the same time, the rest after what it rests on."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from policy.rules.model import Resource


def in_order(resources: Iterable[Resource], make: Callable[[Resource], None]) -> None:
    """Call ``make`` with each. Raises what the first of them raised."""
    wanted = list(resources)
    futures: dict[str, Future[None]] = {}
    with ThreadPoolExecutor(max(len(wanted), 1)) as pool:
        for resource in wanted:
            before = [futures[urn] for urn in resource.dependencies if urn in futures]
            futures[resource.urn] = pool.submit(_after, before, make, resource)
    for future in futures.values():
        future.result()


def _after(before: list[Future[None]], make: Callable[[Resource], None], resource: Resource) -> None:
    for future in before:
        future.result()
    make(resource)
