"""A route's conditions hold for every spelling of its path that a service may take for it."""

from collections.abc import Iterator
from urllib.parse import unquote

import pytest

from tests.live.gateway.stand import API_KEY, HOOKS_HOST, Stand, beside, running
from tests.live.gateway.test_admin import SPELLINGS

KEY = {"X-API-Key": API_KEY}


def evasions(stand: Stand) -> list[str]:
    """Spellings of a path that asks for a key, with which a request without one reaches the service."""
    return [name for name, spell in SPELLINGS.items() if "/hooks" in reached(stand, spell("hooks"))]


def reached(stand: Stand, target: str, headers: dict[str, str] | None = None) -> str:
    """The path that the service gets of a request, as the most lenient one reads it; empty where it gets none."""
    seen = stand.backends["api"].seen
    before = len(seen)
    stand.connector.ask(target, host=HOOKS_HOST, headers=headers)
    return unquote(unquote(seen[-1]["target"])).lower() if len(seen) > before else ""


@pytest.fixture(scope="module")
def literal(stand: Stand) -> Iterator[Stand]:
    """A gateway that asks a route's conditions of what nginx takes for its path alone."""

    def spoil(files: dict[str, str]) -> dict[str, str]:
        path, right = "/etc/zero-exposure/lua/gate.lua", "if guarded and path.strays"
        assert right in files[path]
        return files | {path: files[path].replace(right, "if false and path.strays")}

    with running(spoil, stand.backends, **beside(5)) as found:
        yield found


def test_no_spelling_gets_past_a_routes_api_key(stand: Stand) -> None:
    assert evasions(stand) == []


def test_control_by_the_written_path_alone_many_spellings_do(literal: Stand) -> None:
    assert {"upper", "title", "parameter", "extension", "trailing space"} <= set(evasions(literal))


@pytest.mark.parametrize("target", ["/hooks", "/hooks/", "/hooks/A;b", "//hooks", "/%68ooks", "/hooks%2fa"])
def test_with_the_key_a_path_of_the_routes_own_passes(stand: Stand, target: str) -> None:
    assert "hooks" in reached(stand, target, KEY)
    assert reached(stand, target) == ""


@pytest.mark.parametrize(
    "target", ["/hooksmith", "/Hooksmith", "/my/hooks", "/hook", "/hooks/open/a", "/hooks/open/B.js"]
)
def test_a_neighbour_is_left_alone(stand: Stand, target: str) -> None:
    assert reached(stand, target) == target.lower()


def test_another_spelling_of_a_sensitive_path_is_no_path_and_its_query_is_not_logged(stand: Stand) -> None:
    response = stand.connector.ask("/Read/x?token=s3cr3t-of-a-spelling")
    line = stand.logged(response.headers["x-request-id"])
    assert response.status == 404
    assert (line["decision"], line["reason"], line["target"]) == ("ambiguous", "route", "/Read/x")
    assert "s3cr3t-of-a-spelling" not in (stand.nginx.folder / "access.log").read_text("utf-8", "replace")
