"""Visitors and operators who keep asking while something is broken, and remember what they were told."""

import threading
import time
from dataclasses import dataclass, field
from typing import Self

from tests.live.docker.edge import OPERATOR, Answer, Edge
from tests.live.docker.visitor import API, DASHBOARD, Visitor

PAUSE = 0.1


@dataclass
class Load:
    """Runs for as long as the block. ``acknowledged`` are ids of images that the API said it has."""

    edge: Edge
    acknowledged: list[str] = field(default_factory=list)
    answers: dict[str, list[Answer]] = field(default_factory=lambda: {API: [], DASHBOARD: []})
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._threads = [threading.Thread(target=act) for act in (self._upload, self._look)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    @property
    def failed(self) -> set[str]:
        """Hosts that answered with an error at least once."""
        return {host for host, answers in self.answers.items() if any(answer.status != 200 for answer in answers)}

    def _upload(self) -> None:
        while not self._over.wait(PAUSE):
            answer = Visitor(self.edge).upload(f"image {time.time_ns()}".encode(), within=2)
            self.answers[API].append(answer)
            if answer.status == 200:
                self.acknowledged.append(answer.body.decode().strip('"'))

    def _look(self) -> None:
        while not self._over.wait(PAUSE):
            answer = self.edge.request("GET", DASHBOARD, "/", visitor=OPERATOR, within=2)
            self.answers[DASHBOARD].append(answer)
