"""Settings of intrusion prevention: what is watched for, and what follows."""

from pydantic import Field

from settings.image import own_image
from settings.values import Duration, Image, Model, SecretName


class Community(Model):
    """CrowdSec's shared blocklists. Credentials come from `cscli capi register`, on any machine, once."""

    login: SecretName = Field(description="Stack secret with the machine's login.")
    password: SecretName = Field(description="Stack secret with the machine's password.")


class Intrusion(Model):
    """CrowdSec on the gateway's log, and its bans at the gateway and at the edge."""

    image: Image = own_image("crowdsec", "CrowdSec.")
    ban: Duration = Field("4h", description="How long an address stays banned.")
    community: Community | None = Field(None, description="Take part in CrowdSec's shared blocklists.")
    edge_token: SecretName | None = Field(
        None, description="Stack secret: a Cloudflare token that edits account lists. Bans then hold at the edge too."
    )
    worker_image: Image = own_image("edge-bans", "Runs the worker that tells the edge.")
