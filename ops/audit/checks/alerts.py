"""Whether an alert reaches somebody: one is raised, and Alertmanager has to hand it on."""

import secrets
import time

from ops.audit.checks.intrusion import total
from ops.audit.live import Live, name_of
from ops.audit.result import Check, NotApplicableError, Result, judged

ALERTMANAGER = "alertmanager"
URL = "http://127.0.0.1:9093"
TRIED, FAILED = "alertmanager_notification_requests_total", "alertmanager_notification_requests_failed_total"
"""Each attempt to hand something on. Counts of notifications fall behind: a failing one is tried for minutes."""
WITHIN = 120
"""Seconds. Alertmanager waits half a minute for alerts that belong together."""
SETTLES = 5
"""Seconds between the first receiver and the last."""


def judge_alert(tried: int, failed: int) -> Result:
    """Attempts to tell somebody since the alert was raised, and those of them that failed."""
    problems = []
    if not tried:
        problems.append(f"nobody was told within {WITHIN} s: is there a receiver in the stack file?")
    if failed:
        problems.append(f"{failed} of {tried} attempts to tell somebody failed")
    return judged(f"a test alert was raised; {tried - failed} times somebody was told", problems)


def _alerts(live: Live) -> Result:
    if ALERTMANAGER not in live.topology.nodes:
        raise NotApplicableError("no Alertmanager in this stack")
    before = _counts(live)
    _raise(live)
    deadline = time.monotonic() + WITHIN
    while (now := _counts(live))[0] == before[0] and time.monotonic() < deadline:
        time.sleep(1)
    time.sleep(SETTLES if now != before else 0)
    now = _counts(live)
    return judge_alert(now[0] - before[0], now[1] - before[1])


def _raise(live: Live) -> None:
    """A name of its own each time: the same alert again would be no news, and nobody would be told."""
    summary = "--annotation=summary=A test by `make audit`. Nothing is wrong, and nothing is to be done."
    labels = (f"alertname=Audit-{secrets.token_hex(3)}", "severity=critical")
    _execute(live, "amtool", f"--alertmanager.url={URL}", "alert", "add", *labels, summary)


def _counts(live: Live) -> tuple[int, int]:
    text = _execute(live, "wget", "-q", "-O", "-", f"{URL}/metrics")
    return total(text, TRIED), total(text, FAILED)


def _execute(live: Live, *command: str) -> str:
    engine, container = live.running(ALERTMANAGER)[0]
    return engine.execute(name_of(container), *command)


CHECKS = (
    Check(
        "alerts",
        (10,),
        "An alert that is raised on the server reaches whoever has to know.",
        "operations",
        "Put a receiver into the stack file's monitoring section; `docker logs STACK-alertmanager` says what failed.",
        _alerts,
    ),
)
