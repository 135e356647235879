"""requirements.lock is of the requirements as they are, and names every file's hash."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


def _pins(text: str) -> set[tuple[str, str]]:
    """Name and version of each pinned package; extras and markers are not part of a name."""
    found = re.findall(r"^([\w.-]+)(?:\[[\w,.-]+\])?==([\w.!+-]+)", text, re.MULTILINE)
    return {(name.lower().replace("_", "-"), version) for name, version in found}


def test_every_pin_of_the_requirements_is_locked() -> None:
    wanted = {
        pin for name in ("requirements.txt", "requirements-dev.txt") for pin in _pins((ROOT / name).read_text("utf-8"))
    }
    assert len(wanted) > 20
    assert wanted - _pins(LOCK) == set(), "run: make lock"


def test_every_locked_package_has_hashes() -> None:
    entries = re.split(r"^(?=[a-z])", LOCK, flags=re.MULTILINE)[1:]
    assert len(entries) > 100
    assert [entry.split("==")[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_control_another_version_is_seen() -> None:
    assert _pins("pulumi==0.0.1\nmoto[s3,server]==5.2.5") == {("pulumi", "0.0.1"), ("moto", "5.2.5")}
    assert _pins("pulumi==0.0.1") - _pins(LOCK)


def test_a_package_that_could_not_be_looked_up_is_no_clean_one() -> None:
    """Without --strict, pip-audit ends with 0 where it reached nothing at all."""
    recipe = re.search(r"^vulnerabilities:.*\n\t(.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert recipe
    assert "--strict" in recipe[1].split()
