"""Blocklists are checked before they are used."""

import hashlib
from pathlib import Path

import pytest

from settings import blocklist
from settings.blocklist import Blocklist, blocked, covers, names
from settings.load import SettingsError
from tests.samples import cloud_stack, service, settings

SOURCE = "https://lists.example.org/list.txt"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(blocklist, "ROOT", tmp_path)
    return tmp_path


def pinned(project: Path, text: str, name: str = "list.txt") -> Blocklist:
    (project / name).write_text(text, encoding="utf-8")
    return Blocklist(source=SOURCE, file=name, sha256=hashlib.sha256(text.encode()).hexdigest())


def test_names_and_hosts_files_are_read(project: Path) -> None:
    boilerplate = "# comment\n\n127.0.0.1 localhost\n::1 ip6-localhost\n0.0.0.0 0.0.0.0\n"
    text = boilerplate + "0.0.0.0 Ads.Example.NET # more\n_x.a-b.org.\n"
    assert names(pinned(project, text)) == {"ads.example.net", "_x.a-b.org"}


@pytest.mark.parametrize(
    "line",
    [
        'evil.example" always_transparent',
        "two names.example",
        "0.0.0.0 a.example b.example",
        "net",
        "postgres.api.internal",
        "1.0.128.10.in-addr.arpa",
        "||adblock.example^",
        "a..example",
        "<html>",
        "203.0.113.7",
    ],
)
def test_a_line_that_is_no_public_name_is_refused_with_its_number(project: Path, line: str) -> None:
    with pytest.raises(ValueError, match="line 2 "):
        names(pinned(project, f"fine.example\n{line}\n"))


def test_another_version_of_the_file_is_refused(project: Path) -> None:
    listed = pinned(project, "a.example\n")
    (project / "list.txt").write_text("b.example\n", encoding="utf-8")
    with pytest.raises(ValueError, match="is another version"):
        names(listed)


def test_a_missing_an_empty_and_a_huge_file_are_refused(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="there is no file"):
        names(Blocklist(source=SOURCE, file="none.txt", sha256="0" * 64))
    with pytest.raises(ValueError, match="has 0 names"):
        names(pinned(project, "# nothing\n"))
    monkeypatch.setattr(blocklist, "MAX_BYTES", 10)
    with pytest.raises(ValueError, match="more than 10 bytes"):
        names(pinned(project, "long-enough.example\n", "huge.txt"))


def test_exceptions_leave_the_lists(project: Path) -> None:
    lists = {"one": pinned(project, "a.example\nb.example\n"), "two": pinned(project, "c.example\n", "two.txt")}
    assert blocked(lists, ("b.example",)) == ["a.example", "c.example"]


def test_an_entry_covers_itself_and_what_lies_below() -> None:
    listed = {"tracker.example"}
    assert covers(listed, "tracker.example") == "tracker.example"
    assert covers(listed, "a.b.tracker.example") == "tracker.example"
    assert covers(listed, "nottracker.example") is None


def _with(listed: Blocklist, **resolver: object) -> None:
    raw = cloud_stack(resolver={"blocklists": {"ads": listed.model_dump()}, **resolver})
    raw["services"]["worker"] = service(egress=["*.pay.example.net"])
    settings(raw)


def test_a_list_must_not_block_what_a_service_or_the_connector_needs(project: Path) -> None:
    for text, caller in (("example.net\n", "worker"), ("argotunnel.com\n", "the connector")):
        with pytest.raises(SettingsError, match=f"resolver.blocklists.ads: has .*{caller} needs"):
            _with(pinned(project, text))
    _with(pinned(project, "example.net\n"), exceptions=["pay.example.net"])
    _with(pinned(project, "other.example\n"))


def test_a_wrong_list_is_one_line_with_its_path() -> None:
    with pytest.raises(SettingsError, match=r"resolver\.blocklists\.ads: there is no file"):
        _with(Blocklist(source=SOURCE, file="none.txt", sha256="0" * 64))
