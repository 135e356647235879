"""Settings of the egress proxy."""

from pydantic import Field

from settings.values import Image, Model


class Egress(Model):
    """The way out of services that name domains under ``egress``."""

    image: Image = Field("b4tman/squid:7.5.0", description="squid with OpenSSL: it has to read names in TLS greetings.")
