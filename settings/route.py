"""What of a service a visitor can reach, and under which conditions."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from settings.values import Hostname, Model, SecretName, Size, UrlPath, matching


def _known_method(text: str) -> str:
    if text in ("TRACE", "TRACK", "CONNECT"):
        raise ValueError(f"{text} reaches nothing here: leave it out")
    return text


Method = Annotated[
    str,
    matching(r"^[A-Z]{3,20}$", "write a method in capitals, such as GET"),
    AfterValidator(_known_method),
]
"""An HTTP method. TRACE, TRACK and CONNECT reach nothing, so a route can't ask for them."""
HeaderName = Annotated[str, matching(r"^[A-Za-z][A-Za-z0-9-]{0,63}$", "write a header's name such as X-Partner")]
ContentSecurityPolicy = Annotated[
    str,
    matching(
        r"^[A-Za-z0-9 _.,:;/*'=+-]{1,2000}$",
        "write a policy such as default-src 'self', on one line and in no double quotes",
    ),
]
METHODS: tuple[Method, ...] = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Route(Model):
    """One host and path prefix of the gateway that leads to a service."""

    host: Hostname = Field(description="Public host name, in the stack's domain.")
    path: UrlPath = Field("/", description="Path prefix; matches whole segments.")
    admin: bool = Field(False, description="Does not exist for anyone outside operators.networks.")
    login: bool = Field(False, description="Takes passwords: failed attempts count as credential stuffing.")
    sensitive: bool = Field(False, description="Query strings hold secrets: they are not logged.")
    methods: tuple[Method, ...] = Field(METHODS, min_length=1, description="Any other method is answered with 405.")
    max_body: Size | None = Field(None, description="Largest request body; default gateway.max_body.")
    rate: int | None = Field(None, ge=1, le=100_000, description="Requests a second of one visitor, on this route.")
    burst: int = Field(20, ge=0, le=100_000, description="Requests above the route's rate that are served at once.")
    connections: int | None = Field(None, ge=1, le=10_000, description="Requests in flight of one visitor, here.")
    require_headers: tuple[HeaderName, ...] = Field((), description="A request without one of these is refused.")
    forbid_headers: tuple[HeaderName, ...] = Field((), description="A request with one of these is refused.")
    api_key: SecretName | None = Field(None, description="Stack secret that the header X-API-Key has to hold.")
    websocket: bool = Field(False, description="Connections may be upgraded to WebSocket.")
    streaming: bool = Field(False, description="Bodies pass unbuffered: server-sent events, large transfers.")
    csp: ContentSecurityPolicy | None = Field(None, description="Content-Security-Policy; default gateway.csp.")
    errors: Literal["gateway", "service"] = Field(
        "gateway", description="Whose bodies error answers have. The service's own may name its software."
    )

    @model_validator(mode="after")
    def _no_trailing_slash(self) -> Self:
        if self.path != "/" and (self.path.endswith("/") or "//" in self.path or "/." in self.path):
            raise ValueError(f"write the path as /a/b, without a slash at the end, // or a dot segment: {self.path}")
        return self
