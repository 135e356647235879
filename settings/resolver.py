"""Settings of the internal resolver."""

from pydantic import Field

from settings.blocklist import Blocklist
from settings.image import own_image
from settings.values import Hostname, Image, Ipv4Address, Model, Name


class Upstream(Model):
    """A resolver on the internet that speaks DNS over TLS."""

    address: Ipv4Address
    name: Hostname = Field(description="Its certificate must bear this name, or nothing is asked there.")


CLOUDFLARE, QUAD9 = "cloudflare-dns.com", "dns.quad9.net"


class Resolver(Model):
    """The only DNS server that containers may ask."""

    image: Image = own_image("resolver", "unbound, without a shell.")
    upstreams: tuple[Upstream, ...] = Field(
        (
            Upstream(address="1.1.1.1", name=CLOUDFLARE),
            Upstream(address="1.0.0.1", name=CLOUDFLARE),
            Upstream(address="9.9.9.9", name=QUAD9),
            Upstream(address="149.112.112.112", name=QUAD9),
        ),
        min_length=1,
        description="Who is asked for names that are not internal.",
    )
    blocklists: dict[Name, Blocklist] = Field(
        default_factory=dict, description="Names of trackers, advertisers or malware that are not resolved."
    )
    exceptions: tuple[Hostname, ...] = Field(
        (), description="Names that are resolved although a list has them, or a name that they lie below."
    )
