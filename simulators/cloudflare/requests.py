"""What each call takes. A field that is not here is refused: a simulator that swallows it would pretend to obey.

Fields: https://developers.cloudflare.com/api, for each resource its parameters. Null counts as left out.
"""

import base64
import binascii
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

DURATION = r"^(\d+(ns|us|µs|ms|s|m|h))+$"


class Request(BaseModel):
    """A request's body. Fields in ``also`` are kept as they are sent, and decide nothing here."""

    model_config = ConfigDict(extra="allow")
    also: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _without_null(cls, sent: Any) -> Any:  # noqa: ANN401 - any JSON
        return {key: value for key, value in sent.items() if value is not None} if isinstance(sent, dict) else sent

    @model_validator(mode="after")
    def _known(self) -> "Request":
        unknown = set(self.model_extra or {}) - self.also
        if unknown:
            raise ValueError(f"{min(unknown)}: not known to the API, or not simulated")
        return self

    def sent(self) -> dict[str, Any]:
        """The fields that are there."""
        return self.model_dump(exclude_none=True, by_alias=True)


def _secret(text: str) -> str:
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("not base64") from None
    if len(raw) < 32:
        raise ValueError("shorter than 32 bytes")
    return text


Secret = Annotated[str, AfterValidator(_secret)]
Duration = Annotated[str, Field(pattern=DURATION)]


class NewTunnel(Request):
    """POST cfd_tunnel."""

    name: str = Field(min_length=1)
    config_src: Literal["local", "cloudflare"] = "local"
    tunnel_secret: Secret | None = None


class ChangedTunnel(Request):
    """PATCH cfd_tunnel/{id}."""

    name: str | None = None
    tunnel_secret: Secret | None = None


class AccessOfOrigin(Request):
    """The connector asks for a token of this application."""

    required: bool = False
    team_name: str = Field(alias="teamName")
    aud_tag: list[str] = Field(alias="audTag", min_length=1)


class OriginRequest(Request):
    """Of one rule."""

    also = frozenset(
        [
            "caPool",
            "connectTimeout",
            "disableChunkedEncoding",
            "http2Origin",
            "httpHostHeader",
            "keepAliveConnections",
            "keepAliveTimeout",
            "matchSNItoHost",
            "noHappyEyeballs",
            "noTLSVerify",
            "originServerName",
            "proxyType",
            "tcpKeepAlive",
            "tlsTimeout",
        ]
    )
    access: AccessOfOrigin | None = None


class Ingress(Request):
    """One rule of a tunnel."""

    service: str = Field(min_length=1)
    hostname: str | None = None
    path: str | None = None
    origin_request: OriginRequest | None = Field(None, alias="originRequest")


class TunnelConfig(Request):
    """``originRequest`` at the top is not simulated: what it says of Access is ignored by the connector."""

    also = frozenset({"warp-routing"})
    ingress: list[Ingress] = []


class TunnelConfiguration(Request):
    """PUT cfd_tunnel/{id}/configurations."""

    also = frozenset({"source"})
    config: TunnelConfig


class Record(Request):
    """POST and PUT dns_records."""

    also = frozenset({"settings", "tags", "priority", "data"})
    name: str = Field(min_length=1)
    type: Literal["A", "AAAA", "CNAME", "TXT", "MX", "CAA"]
    content: str | None = None
    ttl: float = 1
    proxied: bool = False
    comment: str | None = Field(None, max_length=100)

    @model_validator(mode="after")
    def _whole(self) -> "Record":
        if self.ttl != 1 and not 60 <= self.ttl <= 86400:
            raise ValueError("ttl: 1 (automatic), or 60 to 86400")
        if self.proxied and self.type not in ("A", "AAAA", "CNAME"):
            raise ValueError("proxied: not for this type")
        return self


class ChangedRecord(Request):
    """PATCH dns_records/{id}."""

    also = Record.also
    name: str | None = None
    type: str | None = None
    content: str | None = None
    ttl: float | None = None
    proxied: bool | None = None
    comment: str | None = None


class PolicyReference(Request):
    """A reusable policy of an application."""

    id: str
    precedence: int | None = None


class Application(Request):
    """POST and PUT access/apps."""

    also = frozenset(
        [
            "allow_authenticate_via_warp",
            "allow_iframe",
            "allowed_idps",
            "auto_redirect_to_identity",
            "cors_headers",
            "custom_deny_message",
            "custom_deny_url",
            "custom_non_identity_deny_url",
            "custom_pages",
            "destinations",
            "logo_url",
            "mfa_config",
            "path_cookie_attribute",
            "read_service_tokens_from_header",
            "self_hosted_domains",
            "service_auth_401_redirect",
            "skip_interstitial",
            "tags",
        ]
    )
    name: str | None = None
    domain: str = Field(min_length=1)
    type: Literal["self_hosted"] = "self_hosted"
    session_duration: Duration = "24h"
    policies: list[PolicyReference | str] = []
    app_launcher_visible: bool = True
    http_only_cookie_attribute: bool = True
    same_site_cookie_attribute: Literal["none", "lax", "strict"] | None = None
    enable_binding_cookie: bool = False
    options_preflight_bypass: bool = False


class Policy(Request):
    """POST and PUT access/policies. ``include`` and its siblings hold one kind of rule an item."""

    also = frozenset(
        [
            "approval_groups",
            "approval_required",
            "connection_rules",
            "isolation_required",
            "mfa_config",
            "purpose_justification_prompt",
            "purpose_justification_required",
        ]
    )
    name: str = Field(min_length=1)
    decision: Literal["allow", "deny", "non_identity", "bypass"]
    include: list[dict[str, dict[str, Any]]] = Field(min_length=1)
    exclude: list[dict[str, dict[str, Any]]] = []
    require: list[dict[str, dict[str, Any]]] = []
    session_duration: Duration = "24h"


class ServiceToken(Request):
    """POST and PUT access/service_tokens."""

    also = frozenset({"previous_client_secret_expires_at"})
    name: str | None = None
    duration: Duration | None = None
    enabled: bool | None = None
    client_secret_version: float | None = None


class Setting(Request):
    """PATCH settings/{id}."""

    value: Any


class Dnssec(Request):
    """PATCH dnssec."""

    also = frozenset({"dnssec_multi_signer", "dnssec_presigned", "dnssec_use_nsec3"})
    status: Literal["active", "disabled"] | None = None


class Ratelimit(Request):
    """Of a rule in the phase http_ratelimit."""

    also = frozenset(["counting_expression", "requests_to_origin", "score_per_period", "score_response_header_name"])
    characteristics: list[str] = Field(min_length=1)
    period: Literal[10, 60, 120, 300, 600, 3600, 86400]
    requests_per_period: int | None = Field(None, ge=1)
    mitigation_timeout: int = Field(0, ge=0)


class Rule(Request):
    """One rule of a ruleset."""

    also = frozenset({"id", "version", "last_updated", "logging", "categories"})
    action: Literal["block", "skip", "log", "managed_challenge", "js_challenge", "challenge", "rewrite", "execute"]
    expression: str = Field(min_length=1, max_length=4096)
    description: str | None = None
    enabled: bool = True
    ref: str | None = None
    action_parameters: dict[str, Any] | None = None
    ratelimit: Ratelimit | None = None


class ChangedRuleset(Request):
    """PUT rulesets/{id}, and PUT rulesets/phases/{phase}/entrypoint."""

    also = frozenset({"id", "version", "last_updated"})
    name: str | None = None
    description: str = ""
    kind: Literal["zone", "custom"] | None = None
    phase: str | None = None
    rules: list[Rule] = []


class NewRuleset(ChangedRuleset):
    """POST rulesets."""

    name: str = Field(min_length=1)
    kind: Literal["zone", "custom"]
    phase: str


class NewList(Request):
    """POST rules/lists."""

    name: str = Field(pattern=r"^[a-z0-9_]{1,50}$")
    kind: Literal["ip", "redirect", "hostname", "asn"]
    description: str = ""


class ChangedList(Request):
    """PUT rules/lists/{id}."""

    also = frozenset({"name", "kind"})
    description: str = ""


class Named(Request):
    """Something by its id."""

    id: str


class Mechanisms(Request):
    """Where a notification goes."""

    email: list[Named] = []
    pagerduty: list[Named] = []
    webhooks: list[Named] = []

    @model_validator(mode="after")
    def _some(self) -> "Mechanisms":
        if not (self.email or self.pagerduty or self.webhooks):
            raise ValueError("at least one mechanism is needed")
        return self


class Alert(Request):
    """POST and PUT alerting/v3/policies."""

    name: str = Field(min_length=1)
    alert_type: str
    enabled: bool = True
    mechanisms: Mechanisms
    filters: dict[str, list[str]] = {}
    description: str = ""
    alert_interval: str | None = None


class Bucket(Request):
    """POST r2/buckets."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$")
    location_hint: Literal["apac", "eeur", "enam", "weur", "wnam", "oc"] | None = Field(None, alias="locationHint")
    storage_class: Literal["Standard", "InfrequentAccess"] = Field("Standard", alias="storageClass")


class ManagedDomain(Request):
    """PUT r2/buckets/{name}/domains/managed."""

    enabled: bool


class Prefix(Request):
    """Which objects a lifecycle rule is about."""

    prefix: str = ""


class LifecycleRule(Request):
    """One rule of a bucket."""

    also = frozenset(["abortMultipartUploadsTransition", "deleteObjectsTransition", "storageClassTransitions"])
    id: str
    enabled: bool
    conditions: Prefix


class Lifecycle(Request):
    """PUT r2/buckets/{name}/lifecycle."""

    rules: list[LifecycleRule] = []
