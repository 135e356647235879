"""One call and its answer, without anything of the HTTP server."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel

from simulators.clock import Clock
from simulators.store import Store

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Answer:
    """``body`` is any JSON, or plain text. Status 204 has none."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class RefusedError(Exception):
    """The API says no, in its own words."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.body)
        self.answer = answer


@dataclass(frozen=True)
class Call:
    """``match`` has the path's variable parts, ``query`` every value of each key, ``body`` the parsed JSON of ``raw``.

    Names of ``headers`` are in small letters.
    """

    method: str
    path: str
    match: Mapping[str, str]
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    token: str
    raw: bytes
    body: Any
    store: Store
    clock: Clock

    def one(self, key: str) -> str | None:
        """The first value of a query key."""
        return self.query.get(key, [None])[0]

    def read(self, model: type[Model]) -> Model:
        """The body as a checked request; raises pydantic's ``ValidationError``, which the API words in its own way."""
        return model.model_validate(self.body if self.body is not None else {})


Handler = Callable[[Call], Answer]


@dataclass(frozen=True)
class Route:
    """``pattern`` has variable parts in braces, and no prefix of the API. A ``binary`` body is no JSON."""

    method: str
    pattern: str
    handler: Handler
    binary: bool = False
