"""Whether a stranger sees admin routes, and who is let in, spoiled in each way."""

from dataclasses import replace
from typing import Any

import pytest

from ops.audit.checks import admin
from ops.audit.checks.admin import Pair, judge_pairs
from ops.audit.live import Live
from ops.audit.web import Answer
from tests.ops.audit.outside import Spoil, Spoiled, answering, body, is_found, is_no_pass
from tests.ops.audit.stand import ACCOUNT, ADMIN, OUTPUTS, STACK, Stand, program
from tests.samples import cloud_stack, service, settings
from topology.plan import plan


def _login_page(host: str, path: str, plain: bool, was: Answer) -> Answer:
    return Answer(302, {**was.headers, "location": "https://example.cloudflareaccess.com/"}) if host == ADMIN else was


def _other_body(host: str, path: str, plain: bool, was: Answer) -> Answer:
    return replace(was, body=was.body + " admins only") if host == ADMIN else was


def _other_header(host: str, path: str, plain: bool, was: Answer) -> Answer:
    return replace(was, headers={**was.headers, "www-authenticate": "Basic"}) if host == ADMIN else was


def _seen_as_operator(_host: str, path: str, _plain: bool, was: Answer) -> Answer:
    return Answer(200, was.headers, "ip=203.0.113.9\n") if path == "/cdn-cgi/trace" else was


def _no_application(given: Stand) -> None:
    del body(given, f"GET /accounts/{ACCOUNT}/access/apps")["result"][1]


def _policy(**policy: Any) -> Spoil:
    def spoil(given: Stand) -> None:
        body(given, f"GET /accounts/{ACCOUNT}/access/apps")["result"][0]["policies"].append(policy)

    return spoil


BROKEN: dict[str, Spoiled] = {
    "a login page for strangers": (answering(_login_page), {"admin-invisible"}, "HTTP 302, an absent one 403"),
    "another body on the admin host": (answering(_other_body), {"admin-invisible"}, "has another body"),
    "another header on the admin host": (answering(_other_header), {"admin-invisible"}, "www-authenticate"),
    "an admin host without Access": (_no_application, {"access"}, f"{ADMIN}: no Access application"),
    "a policy that bypasses": (_policy(decision="bypass", include=[]), {"access"}, "lets everyone pass by"),
    "a policy for everyone": (_policy(decision="allow", include=[{"everyone": {}}]), {"access"}, "takes everyone"),
    "a policy that says nothing": (_policy(id="p"), {"access"}, "does not say what it decides"),
}

UNMEASURED: dict[str, Spoiled] = {
    "an operator's address": (
        answering(_seen_as_operator),
        {"admin-invisible"},
        "203.0.113.9 is within operators.networks",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_found(clean: Stand, name: str) -> None:
    is_found(clean, BROKEN[name])


@pytest.mark.parametrize("name", UNMEASURED)
def test_what_cannot_be_looked_at_is_no_pass(clean: Stand, name: str) -> None:
    is_no_pass(clean, UNMEASURED[name])


def _answer(status: int = 404, body: str = "", ray: str = "1", **headers: str) -> Answer:
    return Answer(status, {"content-type": "application/json", "cf-ray": f"{ray}-FRA", **headers}, body)


def test_answers_that_differ_in_their_own_names_alone_are_alike() -> None:
    one = _answer(body="no /admin here, ray 12", date="a", ray="12")
    other = _answer(body="no /qwert here, ray 34", date="b", ray="34")
    assert judge_pairs([Pair("a.example/admin", one, "a.example/qwert", other)]).verdict == "pass"


@pytest.mark.parametrize(
    "one",
    [
        _answer(403),
        _answer(body="forbidden"),
        _answer(allow="GET"),
        Answer(404, {"content-type": "text/html", "cf-ray": "2-FRA"}),
        Answer(404),
        _answer(date="only here"),
    ],
)
def test_any_other_difference_is_found(one: Answer) -> None:
    assert judge_pairs([Pair("a.example/admin", one, "a.example/qwert", _answer())]).verdict == "fail"


def test_admin_paths_and_admin_hosts_are_compared_with_absent_ones_of_their_length() -> None:
    stack = cloud_stack()
    stack["services"]["ops"] = service(routes=[{"host": "api.example.org", "path": "/internal", "admin": True}])
    given = settings(stack)
    live = Live(STACK, given, plan(given), program(), OUTPUTS)
    found = dict(admin.places(live))
    assert set(found) == {"admin.example.org/", "api.example.org/internal"}
    assert found["api.example.org/internal"].startswith("api.example.org/")
    assert all(len(one) == len(other) for one, other in found.items())
