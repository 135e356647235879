"""Zone-wide protection at Cloudflare: TLS, firewall rules, rate limit, bots, signed DNS."""

from typing import TypedDict

import pulumi
import pulumi_cloudflare as cloudflare

from components.edge import plan, render
from settings import cloud


class EdgeArgs(TypedDict):
    """``ssh_hosts`` are the names that bots' challenges must not reach. ``bans``: block a list of banned addresses."""

    stack: str
    domain: str
    cloudflare: cloud.Cloudflare
    edge: cloud.Edge
    operators: cloud.Operators
    visitor_hosts: tuple[str, ...]
    admin_hosts: tuple[str, ...]
    ssh_hosts: tuple[str, ...]
    bans: bool


class Edge(pulumi.ComponentResource):
    """Settings of the whole zone. With ``manage_zone: false`` there are none: the zone belongs to another stack.

    Destroying it removes the rules. Cloudflare keeps the zone settings, bot settings and DNSSEC as they were last.
    """

    ds_record: pulumi.Output[str] | None = None
    """What the registrar must publish for DNSSEC to take effect."""

    bans: cloudflare.List | None = None
    """The list of banned addresses. Its entries are not the program's: they come and go with the bans."""

    def __init__(self, name: str, args: EdgeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("zero-exposure:index:Edge", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        if args["edge"].manage_zone:
            limits = plan.PLANS[args["cloudflare"].plan]
            _settings(name, args, child)
            _bots(name, args, limits, child)
            if args["bans"]:
                self.bans = _bans(name, args, child)
            _firewall(name, args, limits, self.bans, child)
            _rate_limit(name, args, limits, child)
            self.ds_record = _dnssec(name, args, child).ds
        self.register_outputs({"dsRecord": self.ds_record})


def _settings(name: str, args: EdgeArgs, opts: pulumi.ResourceOptions) -> None:
    zone = args["cloudflare"].zone_id
    for setting, value in plan.zone_settings(args["edge"]).items():
        cloudflare.ZoneSetting(f"{name}-{setting}", zone_id=zone, setting_id=setting, value=value, opts=opts)


def _bots(name: str, args: EdgeArgs, limits: plan.Plan, opts: pulumi.ResourceOptions) -> None:
    chosen = plan.bots(args["edge"], limits)
    cloudflare.BotManagement(f"{name}-bots", zone_id=args["cloudflare"].zone_id, opts=opts, **chosen)


def _bans(name: str, args: EdgeArgs, opts: pulumi.ResourceOptions) -> cloudflare.List:
    return cloudflare.List(
        f"{name}-bans",
        account_id=args["cloudflare"].account_id,
        kind="ip",
        name=render.bans_list(args["stack"]),
        description="Addresses that intrusion prevention banned",
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(ignore_changes=["items"])),
    )


def _firewall(
    name: str, args: EdgeArgs, limits: plan.Plan, bans: cloudflare.List | None, opts: pulumi.ResourceOptions
) -> None:
    hosts = render.Hosts(
        visitors=args["visitor_hosts"],
        admins=args["admin_hosts"],
        ssh=args["ssh_hosts"],
        others=args["edge"].other_hosts,
        networks=args["operators"].networks,
        bans=render.bans_list(args["stack"]) if bans else None,
    )
    if bans:
        # A rule that names a list which is not there is refused.
        opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[bans]))
    rules = render.custom_rules(hosts, plan.spares_ssh(args["edge"], limits), limits)
    _ruleset(f"{name}-firewall", args, "http_request_firewall_custom", [_rule(rule) for rule in rules], opts)


def _rate_limit(name: str, args: EdgeArgs, limits: plan.Plan, opts: pulumi.ResourceOptions) -> None:
    ratelimit = cloudflare.RulesetRuleRatelimitArgs(
        # Counted in each of Cloudflare's data centres by itself; below enterprise there is no other way.
        characteristics=["cf.colo.id", "ip.src"],
        period=plan.PERIOD,
        requests_per_period=args["edge"].requests_per_10s,
        mitigation_timeout=limits.mitigation,
    )
    _ruleset(f"{name}-rate", args, "http_ratelimit", [_rule(render.rate_rule(), ratelimit)], opts)


def _ruleset(
    name: str, args: EdgeArgs, phase: str, rules: list[cloudflare.RulesetRuleArgs], opts: pulumi.ResourceOptions
) -> None:
    """A zone has one ruleset of each phase. One that was made by hand must be imported or removed first."""
    title = f"zero-exposure {args['stack']}"
    zone = args["cloudflare"].zone_id
    cloudflare.Ruleset(name, zone_id=zone, kind="zone", phase=phase, name=title, rules=rules, opts=opts)


def _rule(
    rule: render.Rule, ratelimit: cloudflare.RulesetRuleRatelimitArgs | None = None
) -> cloudflare.RulesetRuleArgs:
    challenges = cloudflare.RulesetRuleActionParametersArgs(phases=["http_request_sbfm"])
    return cloudflare.RulesetRuleArgs(
        ref=rule.ref,
        description=rule.description,
        expression=rule.expression,
        action=rule.action,
        # A skip that names no phase would skip the rest of the firewall.
        action_parameters=challenges if rule.action == "skip" else None,
        ratelimit=ratelimit,
        enabled=True,
    )


def _dnssec(name: str, args: EdgeArgs, opts: pulumi.ResourceOptions) -> cloudflare.ZoneDnssec:
    # Taking the signatures away while the registrar still announces them makes the whole domain unreachable: that
    # is for a person to do, in the other order. The status reads "pending" until the registrar has the record, and a
    # refresh shows that as a difference. It must not be ignored: the engine would then send "pending" back, which the
    # provider refuses, and nothing could be deployed any more.
    keep = pulumi.ResourceOptions(retain_on_delete=True)
    merged = pulumi.ResourceOptions.merge(opts, keep)
    return cloudflare.ZoneDnssec(f"{name}-dnssec", zone_id=args["cloudflare"].zone_id, status="active", opts=merged)
