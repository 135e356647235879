"""Settings of the gateway and of the limits it enforces."""

from pydantic import Field

from settings.image import own_image
from settings.route import ContentSecurityPolicy
from settings.values import Image, Model, Size


class Gateway(Model):
    """The reverse proxy that every request passes."""

    image: Image = own_image("gateway", "OpenResty with Lua and headers-more.")
    workers: int = Field(2, ge=1, le=64, description="Processes of nginx; as many as it may use processors.")
    rate: int = Field(50, ge=1, le=100_000, description="Requests a second that one visitor address may make.")
    burst: int = Field(100, ge=0, le=100_000, description="Requests above the rate that are still served at once.")
    connections: int = Field(64, ge=1, le=10_000, description="Requests in flight that one visitor address may have.")
    max_body: Size = Field("8m", description="Largest request body.")
    csp: ContentSecurityPolicy = Field(
        "default-src 'self'; frame-ancestors 'none'; base-uri 'self'; form-action 'self'; object-src 'none'",
        description="Content-Security-Policy of every answer whose route has none of its own.",
    )
