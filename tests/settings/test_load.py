"""A wrong stack file gives one message that names the key's path and says what is right."""

import base64
import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from settings.load import SettingsError, load
from settings.stack import Settings
from settings.values import WORDS
from tests.samples import KEY, NAMESPACE, cloud_stack, local_stack, service, settings

Spoil = Callable[[dict[str, Any]], object]


def _route(**more: Any) -> dict[str, Any]:
    return {"host": "api.example.org", **more}


def _api(stack: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = stack["services"]["api"]
    return found


def _database(stack: dict[str, Any], text: str) -> None:
    stack["generated"] = ["key"]
    _api(stack)["secrets"] = {"a": text}


def _keys(stack: dict[str, Any], **lines: str) -> None:
    stack["operators"]["ssh_keys"] = lines


def _line(kind: str, *fields: bytes) -> str:
    blob = b"".join(len(field).to_bytes(4) + field for field in fields)
    return f"{kind} {base64.b64encode(blob).decode()} someone"


BAD: list[tuple[str, Spoil, str, str]] = [
    ("unknown top-level key", lambda s: s.update(colour="red"), "colour", "no such key"),
    ("unknown service key", lambda s: _api(s).update(ports=[80]), "services.api.ports", "no such key"),
    ("bad CIDR", lambda s: s["operators"].update(networks=["203.0.113.7/24"]), "operators.networks[0]", "203.0.113"),
    ("the internet as operators", lambda s: s["operators"].update(networks=["0.0.0.0/0"]), "operators", "large part"),
    ("port too large", lambda s: _api(s).update(port=70_000), "services.api.port", "65535"),
    ("port zero", lambda s: _api(s).update(port=0), "services.api.port", "1"),
    ("link to nothing", lambda s: _api(s).update(uses=["redis"]), "services.api.uses[0]", "postgres"),
    ("link to itself", lambda s: _api(s).update(uses=["api"]), "services.api.uses[0]", "itself"),
    ("cycle", lambda s: s["services"]["admin"].update(uses=["other"])
     or s["services"].update(other=service(uses=["admin"])), "services.admin.uses", "admin → other → admin"),
    ("two on one host and path", lambda s: s["services"]["admin"].update(routes=[_route()]),
     "services.admin.routes[0]", "services.api.routes[0]"),
    ("host outside the zone", lambda s: _api(s).update(routes=[_route(host="api.example.net")]),
     "services.api.routes[0].host", "example.org"),
    ("host that only ends like the zone", lambda s: _api(s).update(routes=[_route(host="notexample.org")]),
     "services.api.routes[0].host", "example.org"),
    ("host two labels deep", lambda s: _api(s).update(routes=[_route(host="a.b.example.org")]),
     "services.api.routes[0].host", "certificate"),
    ("admin without operators", lambda s: s.update(operators={}), "services.admin.routes[0].admin", "operators"),
    ("own errors beside an admin path",
     lambda s: _api(s).update(routes=[_route(errors="service"), _route(path="/admin", admin=True)]),
     "services.api.routes[0].errors", "admin"),
    ("path with a dot segment", lambda s: _api(s).update(routes=[_route(path="/a/../b")]),
     "services.api.routes[0]", "dot segment"),
    ("API key of no secret", lambda s: _api(s).update(routes=[_route(api_key="partner")]),
     "services.api.routes[0].api_key", "none"),
    ("unpinned image", lambda s: _api(s).update(image="example/app:latest"), "services.api.image", "pin"),
    ("image without a tag", lambda s: _api(s).update(image="localhost:5000/app"), "services.api.image", "pin"),
    ("no image", lambda s: _api(s).pop("image"), "services.api.image", "needed"),
    ("no user", lambda s: _api(s).pop("user"), "services.api", "root_reason"),
    ("root without a reason", lambda s: _api(s).update(user="0:0"), "services.api", "root"),
    ("used without a port", lambda s: s["services"]["postgres"].update(port=None), "services.postgres.port", "needed"),
    ("reserved name", lambda s: s["services"].update(gateway=service()), "services.gateway", "program's own"),
    ("bad name", lambda s: s["services"].update(Api=service()), "services.Api", "a letter first"),
    ("name of a replica", lambda s: s["services"].update({"api-2": service()}) or _api(s).update(replicas=2),
     "services.api-2", "replica"),
    ("replicas of data", lambda s: s["services"]["postgres"].update(replicas=2), "services.postgres.replicas", "one"),
    ("secret in env", lambda s: _api(s).update(env={"URL": "${postgres.url}"}), "services.api.env.URL", "secret"),
    ("reference to what is not used", lambda s: s["services"]["admin"].update(secrets={"a": "${postgres.url}"}),
     "services.admin.secrets.a", "does not use"),
    ("unknown field of a preset", lambda s: _api(s).update(secrets={"a": "${postgres.uri}"}),
     "services.api.secrets.a", "url"),
    ("unknown secret", lambda s: _api(s).update(secrets={"a": "${secrets.stripe}"}),
     "services.api.secrets.a", "none"),
    ("secret's name with a dash", lambda s: _database(s, "${secrets.api-db-password}"),
     "services.api.secrets.a", "${secrets.api-db-password: this would stay"),
    ("secret's name in capitals", lambda s: _database(s, "${secrets.API}"),
     "services.api.secrets.a", "${secrets.API: this would stay"),
    ("owner in capitals", lambda s: _database(s, "${Secrets.key}"),
     "services.api.secrets.a", "${Secrets.key: this would stay"),
    ("space before a secret", lambda s: _database(s, "${ secrets.key }"),
     "services.api.secrets.a", "${ secrets.key: this would stay"),
    ("space behind a secret", lambda s: _database(s, "${secrets.key }"),
     "services.api.secrets.a", "${secrets.key: this would stay"),
    ("brace that is not closed", lambda s: _database(s, "a ${secrets.key b"),
     "services.api.secrets.a", "${secrets.key: this would stay"),
    ("service's value in capitals", lambda s: _api(s).update(files={"/etc/app/conf": "${postgres.URL}"}),
     "services.api.files./etc/app/conf", "${postgres.URL: this would stay"),
    ("own value with a dash", lambda s: s["services"]["postgres"].update(secrets={"a": "${self.pass-word}"}),
     "services.postgres.secrets.a", "${self.pass-word: this would stay"),
    ("memory that Docker refuses", lambda s: _api(s).update(limits={"memory": "1k"}),
     "services.api.limits.memory", "at least 6m"),
    ("a little less memory than Docker takes", lambda s: _api(s).update(limits={"memory": "6143k"}),
     "services.api.limits.memory", "at least 6m"),
    ("list written as a text", lambda s: _api(s).update(uses="postgres"), "services.api.uses", "[A, B]"),
    ("command written as a text", lambda s: _api(s).update(command="run me"), "services.api.command", "[A, B]"),
    ("networks written as a text", lambda s: s["operators"].update(networks="203.0.113.0/24"),
     "operators.networks", "[A, B]"),
    ("generated written as a text", lambda s: s.update(generated="token"), "generated", "[A, B]"),
    ("check written as a text", lambda s: _api(s).update(healthcheck={"command": "true"}),
     "services.api.healthcheck.command", "[A, B]"),
    ("service that is a list", lambda s: s["services"].update(api=["image"]), "services.api", "KEY: VALUE"),
    ("services that are a list", lambda s: s.update(services=["api"]), "services", "KEY: VALUE"),
    ("route that is a text", lambda s: _api(s).update(routes=["api.example.org"]),
     "services.api.routes[0]", "KEY: VALUE"),
    ("upstream that is a text", lambda s: s.update(resolver={"upstreams": ["1.1.1.1"]}),
     "resolver.upstreams[0]", "KEY: VALUE"),
    ("number in env", lambda s: _api(s).update(env={"PORT": 5}), "services.api.env.PORT", "quotes"),
    ("bool in env", lambda s: _api(s).update(env={"DEBUG": True}), "services.api.env.DEBUG", "quotes"),
    ("user without quotes", lambda s: _api(s).update(user=1830), "services.api.user", "quotes"),
    ("no method", lambda s: _api(s).update(routes=[_route(methods=[])]), "services.api.routes[0].methods", "at least"),
    ("port in words", lambda s: _api(s).update(port="http"), "services.api.port", "whole number"),
    ("switch in words", lambda s: _api(s).update(routes=[_route(admin="maybe")]),
     "services.api.routes[0].admin", "true or false"),
    ("relative path", lambda s: _api(s).update(files={"app.conf": "x"}), "services.api.files.app.conf", "whole path"),
    ("method in lower case", lambda s: _api(s).update(routes=[_route(methods=["get"])]),
     "services.api.routes[0].methods[0]", "capitals"),
    ("policy in quotes", lambda s: s.update(gateway={"csp": 'a "b"'}), "gateway.csp", "double quotes"),
    ("session in seconds", lambda s: s.update(tunnel={"session": "30s"}), "tunnel.session", "minutes or hours"),
    ("variable with a dash", lambda s: _api(s).update(env={"LOG-LEVEL": "x"}),
     "services.api.env.LOG-LEVEL", "LOG_LEVEL"),
    ("one user of two services", lambda s: [s["services"][name].update(user="5000:1") for name in ("api", "admin")],
     "services.admin.user", "api has uid 5000"),
    ("a preset's user", lambda s: _api(s).update(user="070:1"), "services.api.user", "postgres has uid 70"),
    ("two mounts on one path", lambda s: _api(s).update(tmpfs={"/data": "1m"}, volumes={"data": "/data"}),
     "services.api", "/data"),
    ("file in the root", lambda s: _api(s).update(files={"/app.conf": "x"}), "services.api.files", "folder"),
    ("pool in public space", lambda s: s.update(network={"pool": "8.0.0.0/9"}), "network.pool", "private"),
    ("pin outside the pool", lambda s: s.update(network={"subnets": {"api>postgres": "192.168.0.0/29"}}),
     "network.subnets.api>postgres", "pool"),
    ("pin on ingress", lambda s: s.update(network={"subnets": {"api>postgres": "10.128.0.16/29"}}),
     "network.subnets.api>postgres", "10.128.0.0/25"),
    ("pin in egress", lambda s: s.update(network={"subnets": {"api>postgres": "10.128.0.8/29"}}),
     "network.subnets.api>postgres", "10.128.0.0/25"),
    ("pin in the last one kept", lambda s: s.update(network={"subnets": {"api>postgres": "10.128.0.120/29"}}),
     "network.subnets.api>postgres", "10.128.0.0/25"),
    ("pin of no link", lambda s: s.update(network={"subnets": {"a>b": "10.200.0.0/29"}}),
     "network.subnets.a>b", "no such"),
    ("generated and given", lambda s: s.update(generated=["token"], secrets={"token": "x"}), "generated[0]", "already"),
    ("generated twice", lambda s: s.update(generated=["token", "other", "token"]), "generated[2]", "token is there"),
]  # fmt: skip

BAD_IN_THE_CLOUD: list[tuple[str, Spoil, str, str]] = [
    ("no host", lambda s: s.pop("host"), "host", "needed"),
    ("no account", lambda s: s.pop("cloudflare"), "cloudflare", "needed"),
    ("short zone id", lambda s: s["cloudflare"].update(zone_id="123"), "cloudflare.zone_id", "32 hex digits"),
    ("no key", lambda s: s["operators"].update(ssh_keys={}), "operators.ssh_keys", "public key"),
    ("private key", lambda s: s["operators"].update(ssh_keys={"me": "-----BEGIN"}), "operators.ssh_keys.me", ".pub"),
    ("RSA key", lambda s: s["operators"].update(ssh_keys={"me": "ssh-rsa AAAA"}), "operators.ssh_keys.me", "ed25519"),
    ("no key at all", lambda s: _keys(s, me=f"ssh-ed25519 {'A' * 68}"), "operators.ssh_keys.me", "no ssh-ed25519 key"),
    ("a key that is cut off", lambda s: _keys(s, me=KEY.split()[0] + " " + KEY.split()[1][:-4]),
     "operators.ssh_keys.me", "no ssh-ed25519 key"),
    ("a key of another type", lambda s: _keys(s, me=_line("ssh-ed25519", b"ssh-ed448", b"x" * 32)),
     "operators.ssh_keys.me", "no ssh-ed25519 key"),
    ("a key with something behind it", lambda s: _keys(s, me=_line("ssh-ed25519", b"ssh-ed25519", b"x" * 32, b"y")),
     "operators.ssh_keys.me", "no ssh-ed25519 key"),
    ("one key of two people", lambda s: _keys(s, me=KEY, other=f"{' '.join(KEY.split()[:2])} laptop"),
     "operators", "me and other"),
    ("no identity", lambda s: s["operators"].update(emails=[]), "operators.emails", "identity"),
    ("unknown location", lambda s: s["host"].update(location="fra1"), "host.location", "fsn1"),
    ("ssh host is a route", lambda s: s.update(tunnel={"ssh_host": "api.example.org"}), "tunnel.ssh_host", "already"),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "path", "right"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_names_the_key_and_what_is_right(spoil: Spoil, path: str, right: str) -> None:
    stack = local_stack()
    spoil(stack)
    with pytest.raises(SettingsError) as caught:
        settings(stack)
    line = next(line for line in str(caught.value).splitlines() if f"{NAMESPACE}:{path}" in line)
    assert right in line


@pytest.mark.parametrize(
    ("spoil", "path", "right"), [case[1:] for case in BAD_IN_THE_CLOUD], ids=[case[0] for case in BAD_IN_THE_CLOUD]
)
def test_names_the_key_and_what_is_right_in_the_cloud(spoil: Spoil, path: str, right: str) -> None:
    stack = cloud_stack()
    spoil(stack)
    with pytest.raises(SettingsError) as caught:
        settings(stack)
    line = next(line for line in str(caught.value).splitlines() if f"{NAMESPACE}:{path}" in line)
    assert right in line


@pytest.mark.parametrize(
    "text",
    ["${PORT:-80}", '${! json("id") }', "${spring.datasource.url}", "${postgresql.Url}", "$secrets.API", "{self.a-b}"],
)
def test_what_another_program_fills_in_is_left_to_it(text: str) -> None:
    raw = local_stack()
    _api(raw)["files"] = {"/etc/app/conf": text}
    assert settings(raw).services["api"].files == {"/etc/app/conf": text}


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("ssh-ed25519", (b"x" * 32,)),
        ("sk-ssh-ed25519@openssh.com", (b"x" * 32, b"ssh:")),
        ("sk-ecdsa-sha2-nistp256@openssh.com", (b"nistp256", b"x" * 65, b"ssh:mine")),
    ],
)
def test_a_key_of_each_type_is_taken(kind: str, fields: tuple[bytes, ...]) -> None:
    raw, line = cloud_stack(), _line(kind, kind.encode(), *fields)
    _keys(raw, someone=line)
    assert settings(raw).operators.ssh_keys == {"someone": line}


def test_services_of_one_preset_and_those_that_start_as_root_share_a_user() -> None:
    reason = {"user": "0:0", "root_reason": "binds a port below 1024"}
    raw = local_stack()
    raw["services"] |= {"other": {"preset": "postgres"}, "one": service(**reason), "two": service(**reason)}
    assert settings(raw).services["other"].user == "70:70"


@pytest.mark.parametrize("stack", [local_stack, cloud_stack])
def test_accepts_the_stacks_that_the_cases_spoil(stack: Callable[[], dict[str, Any]]) -> None:
    assert settings(stack()).services["postgres"].image.startswith("postgres:")


def _said(stack: dict[str, Any]) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        settings(stack)
    return str(caught.value).splitlines()[1:]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda s: _api(s).update(routes=[_route(methods=["get"])]),
        lambda s: s.update(resolver={"upstreams": ["1.1.1.1"]}),
        lambda s: s["services"].update(postgres={"preset": "postgre"}),
    ],
)
def test_one_mistake_is_one_line(spoil: Spoil) -> None:
    stack = local_stack()
    spoil(stack)
    assert len(_said(stack)) == 1


def _patterns(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        own = schema.get("pattern")
        yield from [own] if isinstance(own, str) else []
        yield from schema.get("patternProperties", ())
        yield from (found for value in schema.values() for found in _patterns(value))
    elif isinstance(schema, list):
        yield from (found for value in schema for found in _patterns(value))


def test_each_pattern_has_words() -> None:
    patterns = set(_patterns(Settings.model_json_schema()))
    assert len(patterns) > 20
    assert patterns <= WORDS.keys()


@pytest.mark.parametrize(
    ("spoil", "path"),
    [
        (lambda s: _api(s).update(routes=[_route(api_key="sk-Live-1234")]), "services.api.routes[0].api_key"),
        (lambda s: s["monitoring"].update(webhook={"domain": "hooks.example.net", "path": "sk-Live-1234"}),
         "monitoring.webhook.path"),
    ],
)  # fmt: skip
def test_a_secret_in_the_place_of_its_name_is_not_shown(spoil: Spoil, path: str) -> None:
    stack = cloud_stack()
    spoil(stack)
    line = f"  {NAMESPACE}:{path}: name a secret of the stack, not its value: a letter of a-z, then a-z, 0-9 and _"
    assert _said(stack) == [line]


def test_names_every_wrong_key_in_one_message() -> None:
    stack = local_stack(colour="red")
    stack["services"]["api"]["port"] = 0
    with pytest.raises(SettingsError, match=r"(?s)colour.*services\.api\.port|services\.api\.port.*colour"):
        settings(stack)


def test_reads_objects_from_the_engines_texts_and_leaves_other_namespaces_alone() -> None:
    raw = local_stack()
    values = {
        f"{NAMESPACE}:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in raw.items()
    }
    assert load({**values, "hcloud:token": "x"}, NAMESPACE) == settings(copy.deepcopy(raw))


def test_a_secret_is_in_no_text_of_the_settings() -> None:
    loaded = settings(local_stack(secrets={"stripe": "sk_live_1234"}))
    assert "sk_live_1234" not in repr(loaded)
    assert "sk_live_1234" not in loaded.model_dump_json()


def test_a_secret_is_in_no_message() -> None:
    with pytest.raises(SettingsError) as caught:
        settings(local_stack(secrets={"Stripe": "sk_live_1234", "other": ["sk_live_5678"]}))
    assert "sk_live" not in str(caught.value)
