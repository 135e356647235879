"""What a visitor's browser meets, spoiled in each way: TLS, redirects, headers."""

import ssl
import warnings
from dataclasses import replace
from pathlib import Path

import pytest

from ops.audit.web import Answer
from tests.live.certificates import Certificate, authority
from tests.ops.audit.outside import Spoil, Spoiled, answering, ingress, is_found, is_no_pass, measured
from tests.ops.audit.stand import API, SSH, Stand, stand


def _old_tls(given: Stand) -> None:
    _speaking(given.context, ssl.TLSVersion.TLSv1, ssl.TLSVersion.MAXIMUM_SUPPORTED)


def _new_tls_refused(given: Stand) -> None:
    _speaking(given.context, ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_1)


def _speaking(context: ssl.SSLContext, oldest: ssl.TLSVersion, newest: ssl.TLSVersion) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version, context.maximum_version = oldest, newest


def _elsewhere(given: Stand) -> None:
    given.names[API] = ("203.0.113.9",)


def _https_behind(given: Stand) -> None:
    ingress(given, "app")[0]["service"] = "https://10.128.0.18:8443"


def _with(**headers: str) -> Spoil:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return answering(lambda _host, _path, _plain, was: replace(was, headers={**was.headers, **named}))


def _without(*names: str) -> Spoil:
    def change(_host: str, path: str, _plain: bool, was: Answer) -> Answer:
        return replace(was, headers={name: value for name, value in was.headers.items() if name not in names})

    return answering(change)


def _no_redirect(host: str, path: str, plain: bool, was: Answer) -> Answer:
    return Answer(200, was.headers, "in plain") if plain and not path.startswith("/cdn-cgi") else was


def _bare_errors(host: str, path: str, plain: bool, was: Answer) -> Answer:
    return Answer(404, {"server": "cloudflare", "cf-ray": "1-FRA"}) if host == API and path != "/" else was


BROKEN: dict[str, Spoiled] = {
    "an old TLS version": (_old_tls, {"tls"}, f"{API} accepts TLSv1"),
    "a TLS version that is too old for anyone": (
        _new_tls_refused,
        {"tls"},
        f"{API} accepts no version from TLSv1_2 on",
    ),
    "a host that is not the edge": (_elsewhere, {"tls-termination"}, f"{API} leads to 203.0.113.9"),
    "an answer that is not the edge's": (_without("cf-ray"), {"tls-termination"}, "has not passed the edge"),
    "TLS behind the tunnel": (_https_behind, {"tls-termination", "tunnel-ingress"}, "speaks TLS behind the tunnel"),
    "plain HTTP": (answering(_no_redirect), {"https-redirect"}, f"{API}: HTTP 200, not a redirect"),
    "a redirect to another host": (
        answering(lambda _host, _path, _plain, was: replace(was, headers={**was.headers, "location": "https://x/"})),
        {"https-redirect"},
        "not a redirect to",
    ),
    "a missing header": (
        _without("content-security-policy"),
        {"security-headers"},
        f"{API}/: without content-security-policy",
    ),
    "errors without headers": (answering(_bare_errors), {"security-headers"}, "(no such path): without"),
    "HSTS for a minute": (
        _with(strict_transport_security="max-age=60"),
        {"security-headers"},
        "for less than half a year",
    ),
    "framing allowed": (_with(x_frame_options="ALLOWALL"), {"security-headers"}, "x-frame-options: ALLOWALL"),
    "addresses told to everyone": (_with(referrer_policy="unsafe-url"), {"security-headers"}, "unsafe-url"),
    "software named": (_with(x_powered_by="PHP"), {"security-headers"}, "names its software: X-Powered-By"),
    "a server named": (_with(server="nginx/1.2"), {"security-headers"}, "names its software: Server"),
}

UNMEASURED: dict[str, Spoiled] = {
    "a challenge": (_with(cf_mitigated="challenge"), {"security-headers"}, "answers api.example.org with a challenge"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_found(clean: Stand, name: str) -> None:
    is_found(clean, BROKEN[name])


@pytest.mark.parametrize("name", UNMEASURED)
def test_what_cannot_be_looked_at_is_no_pass(clean: Stand, name: str) -> None:
    is_no_pass(clean, UNMEASURED[name])


def test_a_certificate_that_ends_soon_is_found(
    certificates: tuple[Certificate, Certificate, Certificate, Path],
) -> None:
    with stand(certificates[0], certificates[2]) as given:
        result = measured(given)["tls"]
    assert result.verdict == "fail"
    assert any(f"{API}: the certificate ends in 4 days" in line for line in result.evidence), result
    assert any(f"{SSH}: the certificate is not good: Hostname mismatch" in line for line in result.evidence), result


def test_a_certificate_of_somebody_else_is_found(
    certificates: tuple[Certificate, Certificate, Certificate, Path],
) -> None:
    other = authority(certificates[3], "other")
    with stand(other, certificates[1]) as given:
        result = measured(given)["tls"]
    assert any("unable to get local issuer certificate" in line for line in result.evidence), result
