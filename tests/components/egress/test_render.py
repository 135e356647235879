"""The egress proxy's files, from a stack's plan."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.egress.render import CONFIG, Domain, domains, files, values
from settings.load import SettingsError
from tests.samples import cloud_stack, local_stack, service, settings
from topology.plan import plan


def rendered(services: dict[str, list[str]]) -> dict[str, str]:
    stack = settings(_stack(services))
    return files(values(stack, plan(stack)))


def _stack(services: dict[str, list[str]]) -> dict[str, Any]:
    raw = cloud_stack()
    raw["services"] |= {name: service(egress=domains) for name, domains in services.items()}
    return raw


def rules(services: dict[str, list[str]]) -> str:
    return rendered(services)[f"{CONFIG}/rules.conf"]


def test_without_a_service_that_calls_out_there_is_no_client() -> None:
    stack = settings(local_stack())
    assert values(stack, plan(stack)).clients == ()


def test_the_domains_of_each_node_are_shown() -> None:
    stack = settings(_stack({"worker": ["b.example.net", "a.example.net"], "mailer": ["*.example.com"]}))
    shown = domains(values(stack, plan(stack)))
    assert {name: shown[name] for name in ("worker", "mailer")} == {
        "worker": ["a.example.net", "b.example.net"],
        "mailer": ["*.example.com"],
    }


def test_every_file_is_included() -> None:
    texts = rendered({"worker": ["api.example.net"]})
    main = texts.pop(f"{CONFIG}/squid.conf")
    assert [f"include {path}\n" in main for path in texts] == [True] * len(texts)


DOMAINS = st.lists(st.sampled_from(["a.one.net", "b.one.net", "*.two.net", "three.org"]), max_size=4, unique=True)


@given(st.dictionaries(st.sampled_from(["worker", "mailer", "hooks"]), DOMAINS, max_size=3))
def test_each_source_is_allowed_what_its_service_declares_and_nothing_else(services: dict[str, list[str]]) -> None:
    text = rules(services)
    allowed = set(re.findall(r"^http_access allow from_(\S+) host_(\S+) port_443$", text, re.MULTILINE))
    spliced = set(
        re.findall(r"^ssl_bump splice named from_(\S+) host_(\S+) name_\2(?: !apex_\2)?$", text, re.MULTILINE)
    )
    declared = {("alertmanager", "alertmanager_0"), ("prober", "prober_0")}
    declared |= {(name, f"{name}_{index}") for name, domains in services.items() for index, _ in enumerate(domains)}
    assert allowed == spliced == declared
    assert len(re.findall(r"^http_access allow", text, re.MULTILINE)) == len(declared)
    assert len(re.findall(r"^ssl_bump (splice|bump|stare|none)", text, re.MULTILINE)) == len(declared)


def test_the_last_words_are_no() -> None:
    text = rules({"worker": ["api.example.net"]})
    assert re.findall(r"^http_access .*$", text, re.MULTILINE)[-1] == "http_access deny all"
    assert re.findall(r"^ssl_bump .*$", text, re.MULTILINE)[-1] == "ssl_bump terminate all"


@pytest.mark.parametrize(
    ("host", "matches"),
    [("a.two.net", True), ("a.b.two.net", True), ("two.net", False), ("xtwo.net", False), ("a.twoxnet", False)],
)
def test_a_wildcard_means_every_name_below(host: str, matches: bool) -> None:
    assert bool(re.match(Domain("worker_0", "*.two.net").regex, host)) is matches


@pytest.mark.parametrize(
    ("domains", "index", "text"),
    [
        (["postgres.internal"], 0, "the internet has no .internal"),
        (["printer.local"], 0, "the internet has no .local"),
        (["*.workers.dev"], 0, "anyone can get a name below workers.dev"),
        (["*.co.uk"], 0, "anyone can get a name below co.uk"),
        (["*.two.net", "a.two.net"], 1, r"\*\.two\.net has it already"),
        (["*.net"], 0, "write a domain in lower case"),
        (["203.0.113.7"], 0, "write a domain in lower case"),
        (["https://api.example.net"], 0, "write a domain in lower case"),
        (["api.example.net\nhttp_access allow all"], 0, "write a domain in lower case"),
    ],
)
def test_a_domain_that_is_not_sound_is_refused_with_its_place(domains: list[str], index: int, text: str) -> None:
    with pytest.raises(SettingsError, match=rf"services\.worker\.egress\[{index}\]: .*{text}"):
        rendered({"worker": domains})


@pytest.mark.parametrize("domains", [["mine.workers.dev"], ["*.example.net"], ["*.two.net", "two.net"], ["shop.co.uk"]])
def test_a_sound_domain_is_not(domains: list[str]) -> None:
    assert "http_access allow from_worker" in rules({"worker": domains})
