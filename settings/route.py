"""What of a service a visitor can reach, and under which conditions."""

from typing import Self

from pydantic import Field, model_validator

from settings.values import Hostname, Model, UrlPath


class Route(Model):
    """One host and path prefix of the gateway that leads to a service."""

    host: Hostname = Field(description="Public host name, in the stack's domain.")
    path: UrlPath = Field("/", description="Path prefix; matches whole segments.")
    admin: bool = Field(False, description="Does not exist for anyone outside operators.networks.")

    @model_validator(mode="after")
    def _no_trailing_slash(self) -> Self:
        if self.path != "/" and (self.path.endswith("/") or "//" in self.path or "/." in self.path):
            raise ValueError(f"write the path as /a/b, without a slash at the end, // or a dot segment: {self.path}")
        return self
