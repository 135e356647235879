"""What makes one simulated API out of its routes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError

from simulators.call import Answer, Call, RefusedError, Route
from simulators.clock import Clock
from simulators.faults import Faults
from simulators.limits import Limit
from simulators.store import Row, Store


@dataclass(frozen=True)
class Words:
    """How an API says what every API has to say."""

    invalid: Callable[[ValidationError], RefusedError]
    malformed: Callable[[], RefusedError]
    unknown_path: Callable[[], RefusedError]
    server_error: Callable[[], RefusedError]
    rate_limited: Callable[[int], RefusedError]
    headers: Callable[[Limit], dict[str, str]]


@dataclass(frozen=True)
class Api:
    """``admit`` refuses callers, ``settle`` ends what takes time, ``watched`` is the state whose history is kept."""

    prefix: str
    routes: Sequence[Route]
    words: Words
    admit: Callable[[Call], None]
    settle: Callable[[Store, Clock], None]
    watched: Callable[[Store], Row]
    seed: Callable[[Store], None]
    limit: Limit
    store: Store
    clock: Clock
    faults: Faults = field(default_factory=Faults)

    def answer(self, route: Route | None, call: Call) -> Answer:
        """Everything that happens to a call that reaches the API unharmed."""
        try:
            return self._handle(route, call)
        except RefusedError as refused:
            return refused.answer
        except ValidationError as error:
            return self.words.invalid(error).answer
        finally:
            self.remember()

    def _handle(self, route: Route | None, call: Call) -> Answer:
        self.admit(call)
        if route is None:
            raise self.words.unknown_path()
        if call.body is Ellipsis and not route.binary:
            raise self.words.malformed()
        return route.handler(call)

    def remember(self) -> None:
        """Keep the state of what is watched where it is a new one."""
        state = self.watched(self.store)
        states = self.store.states
        if not states or states[-1]["state"] != state:
            states.append({"at": self.clock.stamp(), "state": state})
