"""The program does nothing that the pack is not shown, and the check would see it if it did."""

from pathlib import Path

import pytest

from policy.source import check, check_text, main

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = [ROOT / name for name in ("__main__.py", "deployment.py", "topology", "settings", "components")]

REFUSED = {
    "a command": "from pulumi_command import local\nlocal.run(command='true')",
    "a command by its package": "import pulumi_command as command\ncommand.local.run_output(command='true')",
    "a command by its name": "from pulumi_command.local import run\nrun(command='true')",
    "a dynamic resource": "import pulumi\nclass P(pulumi.dynamic.ResourceProvider): ...",
    "a dynamic resource by another name": "from pulumi import dynamic as d\nd.Resource",
    "a dynamic resource by its module": "import pulumi.dynamic as d",
    "a firewall by its id": "import pulumi_hcloud as hcloud\nhcloud.Firewall.get('f', '4711')",
    "a firewall by its id, imported": "from pulumi_hcloud import Firewall\nFirewall.get('f', '4711')",
    "a firewall by its id, kept": "from pulumi_hcloud import Firewall\nread = Firewall.get",
    "a firewall by a name of get": "import pulumi_hcloud as h\ngetattr(h.Firewall, 'get')('f', '4711')",
    "a look-up": "import pulumi_hcloud as hcloud\nhcloud.get_server(name='x')",
    "an invoke": "import pulumi\npulumi.runtime.invoke('x', {})",
    "a program": "import subprocess",
    "a program by os": "import os\nos.system('ufw allow 22')",
    "a program in place of this one": "import os\nos.execvp('sh', ['sh'])",
    "a connection": "from socket import create_server",
    "code from a text": "exec('1')",
    "code from a name": "__import__('subprocess')",
}
ACCEPTED = {
    "a map": "values = {}\nvalues.get('a')",
    "configuration": "import pulumi\npulumi.Config().get('a')\npulumi.get_stack()",
    "a resource": "import pulumi_hcloud as hcloud\nhcloud.Firewall('f', rules=[])",
    "a local command as a resource": "import pulumi_command as command\ncommand.local.Command('c', create='true')",
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_what_the_pack_is_not_shown_is_refused(text: str) -> None:
    assert list(check_text(text, Path("x.py")))


@pytest.mark.parametrize("text", ACCEPTED.values(), ids=ACCEPTED)
def test_what_looks_like_it_is_not(text: str) -> None:
    assert list(check_text(text, Path("x.py"))) == []


def test_the_program_has_none_of_it() -> None:
    assert all(path.exists() for path in PROGRAM)
    assert [str(finding) for finding in check(PROGRAM)] == []


def test_it_names_file_and_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.py").write_text("import os\n\nos.system('x')\n", encoding="utf-8")
    assert main([str(tmp_path)]) == 1
    assert "bad.py:3: os.system" in capsys.readouterr().out
    assert main([str(ROOT / "topology")]) == 0
