"""A plan in a person's words."""

import pytest

from ops.changes.effect import Effect, effect, refusal

URN = "urn:pulumi:dev::zero-exposure::zero-exposure:index:Host$"
SERVER = f"{URN}hcloud:index/server:Server::host-server"
VOLUME = f"{URN}hcloud:index/volume:Volume::host-data"


def _container(name: str) -> str:
    return f"urn:pulumi:dev::zero-exposure::zero-exposure:index:Services$docker:index/container:Container::{name}"


def test_what_stays_the_same_is_nothing() -> None:
    assert effect([{"op": "same", "urn": SERVER}]).text() == "nothing"


def test_components_and_the_stack_are_not_mentioned() -> None:
    steps = [
        {"op": "update", "urn": "urn:pulumi:dev::zero-exposure::pulumi:pulumi:Stack::zero-exposure-dev"},
        {"op": "update", "urn": "urn:pulumi:dev::zero-exposure::zero-exposure:index:Host::host"},
    ]
    assert effect(steps).text() == "nothing"


def test_a_replacement_is_one_whatever_its_steps_are() -> None:
    steps = [{"op": op, "urn": SERVER} for op in ("create-replacement", "replace", "delete-replaced")]
    assert effect(steps).text() == "replaced: server `host-server`"


def test_what_changes_is_grouped_and_many_are_counted() -> None:
    steps = [{"op": "replace", "urn": _container(name)} for name in "abcd"]
    steps += [{"op": "update", "urn": _container("e")}, {"op": "create", "urn": VOLUME}]
    assert effect(steps).text() == "in place: container `e`; replaced: 4 containers; made: data volume `host-data`"


def test_lost_data_is_found_and_a_change_in_place_is_none() -> None:
    assert Effect({VOLUME: "replace"}).lost_data() == [VOLUME]
    assert Effect({VOLUME: "delete"}).lost_data() == [VOLUME]
    assert Effect({VOLUME: "update", SERVER: "replace"}).lost_data() == []


def test_a_volume_of_files_is_no_data() -> None:
    urn = "urn:pulumi:dev::zero-exposure::zero-exposure:index:Services$docker:index/volume:Volume::"
    assert Effect({f"{urn}gateway-files-etc-zero-exposure": "replace"}).lost_data() == []
    assert Effect({f"{urn}postgres-data": "delete"}).lost_data() == [f"{urn}postgres-data"]


def test_a_refusal_names_what_is_protected() -> None:
    message = f'unable to replace resource "{VOLUME}"\nas it is currently marked for protection.'
    assert refusal(message).text() == "**refused**: data volume `host-data` is protected, and would be replaced"


def test_all_that_is_protected_is_named_what_would_be_replaced_first() -> None:
    key = "urn:pulumi:dev::zero-exposure::random:index/randomPassword:RandomPassword::volume-key"
    gone = f'resource "{key}" cannot be deleted\nbecause it is protected.'
    kept = f'unable to replace resource "{VOLUME}"\nas it is currently marked for protection.'
    said = "data volume `host-data` is protected, and would be replaced; "
    said += "random password `volume-key` is protected, and would be removed"
    assert refusal(f"{gone} {kept} {gone}").text() == f"**refused**: {said}"


def test_another_failure_is_no_refusal() -> None:
    with pytest.raises(ValueError, match="no such server"):
        refusal("no such server")
