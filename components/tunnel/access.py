"""Who may pass Cloudflare Access, and to what."""

from dataclasses import dataclass

import pulumi
import pulumi_cloudflare as cloudflare

LIFE_OF_CI = "8760h"
"""A year. Access refuses an older token: a token that leaked and was forgotten does not live for ever."""


@dataclass(frozen=True)
class Site:
    """What every Access resource of a stack has in common."""

    name: str
    stack: str
    account_id: str
    session: str
    opts: pulumi.ResourceOptions

    def title(self, what: str) -> str:
        """A name for the dashboard that tells two stacks apart."""
        return f"zero-exposure {self.stack}: {what}"


def people(site: Site, emails: tuple[str, ...]) -> cloudflare.ZeroTrustAccessPolicy:
    """Lets the operators in, each by a login as that very address."""
    include = cloudflare.ZeroTrustAccessPolicyIncludeArgs
    address = cloudflare.ZeroTrustAccessPolicyIncludeEmailArgs
    return cloudflare.ZeroTrustAccessPolicy(
        f"{site.name}-operators",
        account_id=site.account_id,
        name=site.title("operators"),
        decision="allow",
        includes=[include(email=address(email=email)) for email in emails],
        session_duration=site.session,
        opts=site.opts,
    )


def service_token(site: Site) -> cloudflare.ZeroTrustAccessServiceToken:
    """What a pipeline shows in place of a login."""
    return cloudflare.ZeroTrustAccessServiceToken(
        f"{site.name}-ci",
        account_id=site.account_id,
        name=site.title("CI"),
        duration=LIFE_OF_CI,
        opts=site.opts,
    )


def pipeline(site: Site, shown: cloudflare.ZeroTrustAccessServiceToken) -> cloudflare.ZeroTrustAccessPolicy:
    """Lets this one service token in. ``non_identity`` asks no person, so it is for SSH only, which asks for a key."""
    token = cloudflare.ZeroTrustAccessPolicyIncludeServiceTokenArgs(token_id=shown.id)
    return cloudflare.ZeroTrustAccessPolicy(
        f"{site.name}-ci-policy",
        account_id=site.account_id,
        name=site.title("CI"),
        decision="non_identity",
        includes=[cloudflare.ZeroTrustAccessPolicyIncludeArgs(service_token=token)],
        opts=site.opts,
    )


def application(
    site: Site, host: str, policies: list[cloudflare.ZeroTrustAccessPolicy], browser: bool
) -> cloudflare.ZeroTrustAccessApplication:
    """Puts a host behind Access: without a session nothing of it is answered.

    ``browser`` binds the session to the browser that logged in. `cloudflared access` keeps no second cookie, and
    fails with "bad handshake" where the binding cookie is on.
    """
    reference = cloudflare.ZeroTrustAccessApplicationPolicyArgs
    return cloudflare.ZeroTrustAccessApplication(
        f"{site.name}-access-{host}",
        account_id=site.account_id,
        name=site.title(host),
        type="self_hosted",
        domain=host,
        policies=[reference(id=policy.id, precedence=rank) for rank, policy in enumerate(policies, start=1)],
        session_duration=site.session,
        app_launcher_visible=False,
        http_only_cookie_attribute=True,
        # strict would lose the session on the way back from the login page, which is on another site.
        same_site_cookie_attribute="lax",
        enable_binding_cookie=browser,
        # An unauthenticated OPTIONS request would reach the gateway and tell that the host exists.
        options_preflight_bypass=False,
        opts=site.opts,
    )
