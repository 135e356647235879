"""/_ping, /version, /info: https://docs.docker.com/reference/api/engine/version/v1.47/#tag/System"""

from simulators.call import Answer, Call, Route

API = "1.47"
VERSION = "27.5.1"


def _ping(_: Call) -> Answer:
    return Answer(200, "OK", headers={"Api-Version": API, "Ostype": "linux"})


def _version(_: Call) -> Answer:
    return Answer(
        200,
        {
            "Version": VERSION,
            "ApiVersion": API,
            "MinAPIVersion": "1.24",
            "Os": "linux",
            "Arch": "amd64",
            "KernelVersion": "6.1.0",
            "GitCommit": "simulated",
            "GoVersion": "simulated",
            "Components": [{"Name": "Engine", "Version": VERSION, "Details": {"ApiVersion": API, "Os": "linux"}}],
        },
    )


def _info(_: Call) -> Answer:
    return Answer(200, {"ID": "simulated", "OSType": "linux", "Architecture": "x86_64", "ServerVersion": VERSION})


ROUTES = [
    Route(method, f"{prefix}/{name}", handler)
    for prefix in ("", "/v{version}")
    for method, name, handler in (
        ("HEAD", "_ping", _ping),
        ("GET", "_ping", _ping),
        ("GET", "version", _version),
        ("GET", "info", _info),
    )
]
