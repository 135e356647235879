"""What many machines are made of: the table in docs/scale.md, and the stack that it is computed from."""

from dataclasses import replace

import pytest

from ops import scale
from settings.load import validate
from tests.samples import NAMESPACE


@pytest.mark.parametrize("machines", [3, 20])
def test_the_simulated_stack_is_one_that_may_be_deployed(machines: int) -> None:
    raw = scale.simulated(machines)
    raw["network"] = {"subnets": scale.settled(raw)[0].network.subnets}
    assert len(validate(raw, NAMESPACE).machines) == machines


def test_the_table_is_current() -> None:
    text = scale.DOCUMENT.read_text(encoding="utf-8")
    assert f"{scale.BEGIN}{scale.table()}{scale.END}" in text


def test_another_machine_is_another_way_in_and_another_rule() -> None:
    few, many = scale.scale(3), scale.scale(20)
    assert (few.tunnels, many.tunnels) == (4, 21)
    assert "pro" in few.rules
    assert "pro" not in many.rules
    assert many == replace(many, machines=20)
