"""The recorder keeps what an engine would be sent."""

import pulumi
import pulumi_random as random
import pytest

from ops.preview.graph import graph
from ops.preview.record import DuplicateUrnError, record
from policy.rules.engine import exposure
from policy.rules.model import UNKNOWN
from tests.mocks import both_modes, nothing_known


class Part(pulumi.ComponentResource):
    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("zero-exposure:index:Part", name, None, opts)
        self.register_outputs({"says": "hello", "hides": pulumi.Output.secret("x")})


@both_modes
def test_keeps_parent_protection_and_dependencies(preview: bool) -> None:
    def program() -> None:
        part = Part("part")
        first = random.RandomPassword("first", length=8, opts=pulumi.ResourceOptions(parent=part, protect=True))
        random.RandomPassword(
            "second", length=first.length.apply(lambda n: n), opts=pulumi.ResourceOptions(parent=part)
        )

    first, second = record(program, preview=preview).of_type("random:index/randomPassword:RandomPassword")
    assert (first.parent or "").endswith("zero-exposure:index:Part::part")
    assert first.urn.endswith("zero-exposure:index:Part$random:index/randomPassword:RandomPassword::first")
    assert (first.protect, second.protect) == (True, False)
    assert second.property_dependencies["length"] == (first.urn,)


@both_modes
def test_a_urn_names_the_types_of_all_ancestors(preview: bool) -> None:
    def program() -> None:
        Part("inner", pulumi.ResourceOptions(parent=Part("outer")))

    urns = [resource.urn for resource in record(program, preview=preview).resources]
    assert urns[-1].endswith("::zero-exposure:index:Part$zero-exposure:index:Part::inner")


@both_modes
def test_what_a_component_says_when_it_is_done_is_kept_and_its_secrets_are_known(preview: bool) -> None:
    (part,) = (each for each in record(_part, preview=preview).registrations if not each.custom and each.outputs)
    assert part.outputs == {"says": "hello", "hides": "x"}
    assert part.secret_outputs == {"hides"}


@both_modes
def test_a_components_secret_output_is_a_mark_in_the_graph(preview: bool) -> None:
    recording = record(_part, preview=preview)
    shown = graph("dev", "local", recording, [], exposure(recording.resources))
    assert [each["outputs"] for each in shown["resources"] if each["name"] == "part"] == [
        {"hides": "[secret]", "says": "hello"}
    ]


def _part() -> None:
    Part("part")


def test_what_only_a_cloud_knows_is_unknown_in_a_first_preview() -> None:
    def program() -> None:
        made = random.RandomPassword("made", length=8)
        random.RandomString("user", length=8, keepers={"of": made.result})

    user = record(program, preview=True, outputs=nothing_known).of_type("random:index/randomString:RandomString")[0]
    assert user.props["keepers"] == UNKNOWN or user.props["keepers"]["of"] is UNKNOWN


@both_modes
def test_an_error_inside_an_apply_is_raised(preview: bool) -> None:
    def fail(_: int) -> int:
        raise ValueError("inside")

    def program() -> None:
        random.RandomPassword("bad", length=pulumi.Output.from_input(8).apply(fail))

    with pytest.raises(ValueError, match="inside"):
        record(program, preview=preview)


@both_modes
def test_a_run_after_a_failed_one_is_clean(preview: bool) -> None:
    def failing() -> None:
        random.RandomPassword("left-over", length=8)
        raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        record(failing, preview=preview)
    assert [resource.type for resource in record(lambda: None, preview=preview).resources] == ["pulumi:pulumi:Stack"]


@both_modes
def test_two_resources_with_one_urn_are_an_error(preview: bool) -> None:
    def program() -> None:
        random.RandomPassword("same", length=8)
        random.RandomPassword("same", length=9)

    with pytest.raises(DuplicateUrnError):
        record(program, preview=preview)


@both_modes
def test_a_secret_export_is_shown_as_a_mark(preview: bool) -> None:
    def program() -> None:
        pulumi.export("open", "value")
        pulumi.export("closed", pulumi.Output.secret("hidden"))

    assert record(program, preview=preview).exports == {"open": "value", "closed": "[secret]"}
