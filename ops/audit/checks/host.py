"""The servers themselves, looked at over SSH."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ops.audit.engine import Machine
from ops.audit.live import Live
from ops.audit.result import Check, NotMeasuredError, Result, judged, worst

TABLE = "zero_exposure"
HOOKS = ("input", "forward", "output")


def judge_drift(code: int, journal: str) -> Result:
    """``code``: what the host's own comparison of its files ended with; ``journal``: its last lines."""
    differing = [line for line in journal.splitlines() if line.endswith("FAILED") or "FAILED open" in line]
    problems = [f"differs: {line.rpartition(':')[0]}" for line in differing] or ["the comparison failed"]
    return judged("every file compared with what was rendered", problems if code else [])


def _on_each(live: Live, measure: Callable[[Machine], Result]) -> Result:
    """The same on every machine; evidence with its name. One that can't be looked at is no pass."""
    live.cloud_only()
    found: list[Result] = []
    for name, engine in live.by_machine.items():
        try:
            result = measure(engine.machine)
        except NotMeasuredError as reason:
            result = Result("not measured", (str(reason),))
        found.append(Result(result.verdict, tuple(f"{name}: {line}" if name else line for line in result.evidence)))
    return Result(worst([result.verdict for result in found]), tuple(line for each in found for line in each.evidence))


def _drift(machine: Machine) -> Result:
    unit = "zero-exposure-drift.service"
    done = machine.run("sudo", "-n", "systemctl", "start", unit)
    error = done.stderr.decode("utf-8", "replace")
    if done.returncode and "not found" in error:
        raise NotMeasuredError(f"the server has no {unit}")
    journal = machine.run("sudo", "-n", "journalctl", "-u", unit, "-n", "50", "-o", "cat", "--since", "-2min")
    return judge_drift(done.returncode, journal.stdout.decode("utf-8", "replace"))


def judge_filter(ruleset: Sequence[Mapping[str, Any]]) -> Result:
    """``ruleset``: objects of `nft --json list table`."""
    policies = {
        entry["chain"]["hook"]: entry["chain"].get("policy") for entry in ruleset if "hook" in entry.get("chain", {})
    }
    problems = [
        f"{hook}: {policies.get(hook) or 'no chain'}, not drop" for hook in HOOKS if policies.get(hook) != "drop"
    ]
    return judged(f"policies in force: {', '.join(f'{hook} {policy}' for hook, policy in policies.items())}", problems)


def _filter(machine: Machine) -> Result:
    done = machine.run("sudo", "-n", "nft", "--json", "list", "table", "inet", TABLE)
    return judge_filter(json.loads(done.stdout)["nftables"] if done.returncode == 0 else [])


def _drift_on_each(live: Live) -> Result:
    return _on_each(live, _drift)


def _filter_on_each(live: Live) -> Result:
    return _on_each(live, _filter)


CHECKS = (
    Check(
        "host-drift",
        (9,),
        "Every file of the server's configuration is as it was rendered.",
        "operations",
        "Find out who changed it, then replace the server: `pulumi up --replace URN` of host-server.",
        _drift_on_each,
    ),
    Check(
        "host-filter",
        (1,),
        "The server's own packet filter is in force and drops by default, behind the provider's.",
        "host",
        "`sudo systemctl restart nftables` on the server; if it does not hold, replace the server.",
        _filter_on_each,
    ),
)
