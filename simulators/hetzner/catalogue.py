"""What is for sale: a part of it, in the form of /server_types, /locations and /images.

Fields: https://docs.hetzner.cloud/reference/cloud#server-types, #locations, #images. Prices are made up.
"""

from simulators.store import Row

GERMANY, FINLAND = "DE", "FI"
PLACES = [
    (1, "fsn1", GERMANY, "Falkenstein", "eu-central"),
    (2, "nbg1", GERMANY, "Nuremberg", "eu-central"),
    (3, "hel1", FINLAND, "Helsinki", "eu-central"),
    (4, "ash", "US", "Ashburn, VA", "us-east"),
    (5, "hil", "US", "Hillsboro, OR", "us-west"),
    (6, "sin", "SG", "Singapore", "ap-southeast"),
]
EUROPE = ("fsn1", "nbg1", "hel1")
TYPES = [
    (22, "cpx11", 2, 2, 40, "shared", "x86", tuple(place[1] for place in PLACES)),
    (45, "cax11", 2, 4, 40, "shared", "arm", EUROPE),
    (96, "ccx13", 2, 8, 80, "dedicated", "x86", tuple(place[1] for place in PLACES)),
    (97, "ccx23", 4, 16, 160, "dedicated", "x86", tuple(place[1] for place in PLACES)),
    (114, "cx23", 2, 4, 40, "shared", "x86", EUROPE),
    (115, "cx33", 4, 8, 80, "shared", "x86", EUROPE),
    (116, "cx43", 8, 16, 160, "shared", "x86", EUROPE),
]
SYSTEMS = [("debian", "12"), ("debian", "13"), ("ubuntu", "24.04")]
SINCE = "2025-01-01T00:00:00+00:00"


def _location(number: int, name: str, country: str, city: str, zone: str) -> Row:
    return {
        "id": number,
        "name": name,
        "description": f"{city} DC Park 1",
        "country": country,
        "city": city,
        "latitude": 50.0,
        "longitude": 10.0,
        "network_zone": zone,
    }


LOCATIONS = [_location(*place) for place in PLACES]


def _price(location: str) -> Row:
    price = {"net": "1.0000000000", "gross": "1.1900000000"}
    return {
        "location": location,
        "price_hourly": price,
        "price_monthly": price,
        "included_traffic": 20 * 1024**4,
        "price_per_tb_traffic": price,
    }


def _server_type(
    number: int, name: str, cores: int, memory: float, disk: int, cpu: str, architecture: str, places: tuple[str, ...]
) -> Row:
    return {
        "id": number,
        "name": name,
        "description": name.upper(),
        "category": "General Purpose" if cpu == "dedicated" else "Cost-Optimized",
        "cores": cores,
        "memory": memory,
        "disk": disk,
        "storage_type": "local",
        "cpu_type": cpu,
        "architecture": architecture,
        "included_traffic": None,
        "deprecated": False,
        "deprecation": None,
        "prices": [_price(place) for place in places],
        "locations": [
            {"id": found["id"], "name": found["name"], "available": True, "recommended": True, "deprecation": None}
            for found in LOCATIONS
            if found["name"] in places
        ],
    }


SERVER_TYPES = [_server_type(*kind) for kind in TYPES]


def _image(number: int, flavor: str, version: str, architecture: str) -> Row:
    return {
        "id": number,
        "status": "available",
        "type": "system",
        "name": f"{flavor}-{version}",
        "description": f"{flavor.capitalize()} {version}",
        "image_size": None,
        "disk_size": 5,
        "created": SINCE,
        "created_from": None,
        "bound_to": None,
        "os_flavor": flavor,
        "os_version": version,
        "architecture": architecture,
        "rapid_deploy": True,
        "protection": {"delete": False},
        "deprecated": None,
        "deprecation": None,
        "deleted": None,
        "labels": {},
    }


IMAGES = [
    _image(number, *system, architecture)
    for number, (system, architecture) in enumerate(
        ((system, architecture) for system in SYSTEMS for architecture in ("x86", "arm")), start=300_000_000
    )
]


def find(rows: list[Row], wanted: int | str) -> Row | None:
    """By id or name, as the API takes both."""
    return next((row for row in rows if row["id"] == wanted or row["name"] == wanted), None)
