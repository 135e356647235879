"""Whether a stranger sees admin routes, and who is let in, spoiled in each way."""

from dataclasses import replace
from typing import Any

import pytest

from ops.audit.web import Answer
from tests.ops.audit.outside import Spoil, Spoiled, answering, body, is_found, is_no_pass
from tests.ops.audit.stand import ACCOUNT, ADMIN, Stand


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
