"""From settings to what containers are made of."""

from components.services.render import files, start_order
from settings.reference import Credential
from tests.samples import local_stack, service, settings


def test_a_secret_is_a_file_below_run_secrets_made_of_text_and_credentials() -> None:
    found = files("api", settings(local_stack()).services)
    assert found["/run/secrets/database"] == [
        "postgres://postgres:",
        Credential("postgres", "password"),
        "@postgres:5432/app?sslmode=disable",
    ]


def test_a_file_without_a_reference_is_text_alone() -> None:
    stack = local_stack()
    stack["services"]["api"]["files"] = {"/etc/app/app.conf": "level = info\n"}
    assert files("api", settings(stack).services)["/etc/app/app.conf"] == ["level = info\n"]


def test_an_expression_that_only_looks_like_a_reference_stays_as_it_is() -> None:
    stack = local_stack()
    stack["services"]["api"]["files"] = {"/etc/app/app.yaml": "key: ${! json() } ${HOME} $1"}
    assert files("api", settings(stack).services)["/etc/app/app.yaml"] == ["key: ${! json() } ${HOME} $1"]


def test_a_presets_own_password_is_its_own() -> None:
    found = files("postgres", settings(local_stack()).services)
    assert found["/run/secrets/password"] == [Credential("postgres", "password")]


def test_what_is_used_starts_before_its_users() -> None:
    stack = local_stack()
    stack["services"] |= {"aa": service(uses=["zz"]), "zz": service(uses=["mm"]), "mm": service()}
    order = start_order(settings(stack).services)
    assert order.index("mm") < order.index("zz") < order.index("aa")
    assert order.index("postgres") < order.index("api")
    assert sorted(order) == sorted(stack["services"])


def test_a_long_chain_of_services_has_an_order() -> None:
    chain = {f"s{index:04}": service(uses=[f"s{index + 1:04}"]) for index in range(600)}
    stack = settings(local_stack(services={**chain, "s0600": service()}, network={"pool": "10.0.0.0/8"}))
    assert start_order(stack.services)[0] == "s0600"
