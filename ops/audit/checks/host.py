"""The server itself, looked at over SSH."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ops.audit.live import Live
from ops.audit.result import Check, NotMeasuredError, Result, judged

TABLE = "zero_exposure"
HOOKS = ("input", "forward", "output")


def judge_drift(code: int, journal: str) -> Result:
    """``code``: what the host's own comparison of its files ended with; ``journal``: its last lines."""
    differing = [line for line in journal.splitlines() if line.endswith("FAILED") or "FAILED open" in line]
    problems = [f"differs: {line.rpartition(':')[0]}" for line in differing] or ["the comparison failed"]
    return judged("every file compared with what was rendered", problems if code else [])


def _drift(live: Live) -> Result:
    live.cloud_only()
    machine, unit = live.engine.machine, "zero-exposure-drift.service"
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


def _filter(live: Live) -> Result:
    live.cloud_only()
    done = live.engine.machine.run("sudo", "-n", "nft", "--json", "list", "table", "inet", TABLE)
    return judge_filter(json.loads(done.stdout)["nftables"] if done.returncode == 0 else [])


CHECKS = (
    Check(
        "host-drift",
        (9,),
        "Every file of the server's configuration is as it was rendered.",
        "operations",
        "Find out who changed it, then replace the server: `pulumi up --replace URN` of host-server.",
        _drift,
    ),
    Check(
        "host-filter",
        (1,),
        "The server's own packet filter is in force and drops by default, behind the provider's.",
        "host",
        "`sudo systemctl restart nftables` on the server; if it does not hold, replace the server.",
        _filter,
    ),
)
