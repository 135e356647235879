"""A missing program is a skip at home and a failure in CI."""

import pytest

from tests.programs import need


def test_a_missing_program_is_a_skip_that_says_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-program missing: make test-tools"):
        need("sh", "no-such-program")


def test_a_missing_program_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no-such-program missing"):
        need("no-such-program")


def test_a_program_that_is_there_is_neither(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    need("sh")
