"""Settings of backups: where they go, when, and how long they are kept."""

from typing import Literal

from pydantic import Field

from settings.image import own_image
from settings.values import ClockTime, Hostname, Image, Model, SecretName, worded

R2_HOST = "r2.cloudflarestorage.com"


class Keep(Model):
    """Which snapshots of each service stay: the last one of each of N days, weeks and months that have one. All of the
    last two days stay whatever is said here."""

    daily: int = Field(7, ge=1, le=366)
    weekly: int = Field(5, ge=0, le=520)
    monthly: int = Field(12, ge=0, le=240)


class Keys(Model):
    """A pair of access keys that may read and write objects of the one bucket, and nothing else."""

    id: SecretName = Field(description="Stack secret with the access key's id.")
    secret: SecretName = Field(description="Stack secret with the access key itself.")


class S3(Model):
    """A bucket that is there already, at any provider that speaks S3."""

    endpoint: Hostname = Field(description="Host of the provider, spoken to on 443; the bucket's name follows as path.")
    bucket: str = Field(
        pattern=worded(r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", "write a bucket's name: 3 to 63 of a-z, 0-9, . and -")
    )
    region: str = Field("auto", pattern=worded(r"^[a-z0-9-]{2,40}$", "write a region such as eu-central-1"))


class Backup(Model):
    """Encrypted backups of what services declare with their own ``backup``."""

    image: Image = own_image("restic", "restic, on an image with a shell.")
    store: Literal["r2", "s3", "volume"] = Field(
        "r2",
        description="r2: a bucket at Cloudflare that the program makes. s3: a bucket that is there. volume: a Docker "
        "volume on the same machine, to try it out; it is lost with the machine.",
    )
    keys: Keys | None = Field(
        None,
        description="docs/backup.md says how to make them. Until they are there every run fails.",
    )
    location: Literal["weur", "eeur", "wnam", "enam", "apac", "oc"] = Field("weur", description="Where R2 keeps it.")
    s3: S3 | None = Field(None, description="Needed with store: s3.")
    password: SecretName | None = Field(
        None, description="Stack secret: the password of a repository that is there already. Else one is made."
    )
    passwords: int = Field(
        1, ge=1, le=99, description="How many the repository has had. One more makes a new one: docs/rotation.md."
    )
    at: ClockTime = Field("02:30", description="When the daily backup starts (UTC).")
    keep: Keep = Keep()
