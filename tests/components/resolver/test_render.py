"""The resolver's files, from a stack's plan."""

from typing import Any

import pytest

from components.resolver.render import CONFIG, files, values
from settings.load import SettingsError
from tests.samples import cloud_stack, settings
from topology.plan import plan


def rendered(raw: dict[str, Any]) -> dict[str, str]:
    stack = settings(raw)
    return files(values(stack, plan(stack)))


def test_the_same_stack_gives_the_same_texts() -> None:
    assert rendered(cloud_stack()) == rendered(cloud_stack())


def test_every_file_is_included() -> None:
    texts = rendered(cloud_stack())
    main = texts.pop(f"{CONFIG}/unbound.conf")
    assert [f'include: "{path}"' in main for path in texts] == [True] * len(texts)
    assert len(texts) >= 8


def test_every_upstream_is_asked_over_tls_by_its_name() -> None:
    texts = rendered(cloud_stack(resolver={"upstreams": [{"address": "192.0.2.53", "name": "dns.example.net"}]}))
    upstream = texts[f"{CONFIG}/upstream.conf"]
    forwards = [line.split()[1] for line in upstream.splitlines() if "forward-addr" in line]
    assert forwards == ["192.0.2.53@853#dns.example.net"]
    assert "forward-tls-upstream: yes" in upstream


@pytest.mark.parametrize(
    ("upstream", "key"),
    [
        ({"address": "dns.example.net", "name": "dns.example.net"}, "address"),
        ({"address": "192.0.2.53", "name": "x\nforward-addr: 192.0.2.1"}, "name"),
        ({"address": "192.0.2.53"}, "name"),
    ],
)
def test_an_upstream_needs_an_address_and_a_name(upstream: dict[str, str], key: str) -> None:
    with pytest.raises(SettingsError, match=rf"resolver\.upstreams\[0\]\.{key}"):
        rendered(cloud_stack(resolver={"upstreams": [upstream]}))


def test_no_service_may_be_called_like_the_zone() -> None:
    raw = cloud_stack()
    raw["services"]["internal"] = raw["services"].pop("admin")
    with pytest.raises(SettingsError, match=r"services\.internal: this name is the program's own"):
        rendered(raw)
