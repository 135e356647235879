"""What the simulated Hetzner Cloud offers, by Hetzner's own client."""

from typing import Any


def test_types_images_and_locations_are_found_by_name(client: Any) -> None:
    kind = client.server_types.get_by_name("cx33")
    assert (kind.cores, kind.architecture) == (4, "x86")
    assert "fsn1" in [place.location.name for place in kind.locations]
    assert client.images.get_by_name_and_architecture("debian-13", "arm").architecture == "arm"
    assert client.locations.get_by_name("hel1").network_zone == "eu-central"
    assert client.server_types.get_by_name("none") is None
