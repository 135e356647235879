"""CrowdSec's files, from values. Pure."""

import json
from dataclasses import dataclass
from pathlib import Path

from components.template import templates
from settings.intrusion import Intrusion
from topology.model import Topology
from topology.names import CROWDSEC, GATEWAY, SYSLOG_PORT

FOLDER = Path(__file__).parent
CONFIG, HUB, STATE, SECRETS = "/etc/zero-exposure/crowdsec", "/etc/zero-exposure/hub", "/run/crowdsec", "/run/secrets"
COMMUNITY_URL = "https://api.crowdsec.net/"
COMMUNITY_FILE = f"{SECRETS}/community.yaml"
API_PORT, METRICS_PORT = 8081, 6060
STAGES = {"raw": "s00-raw", "request": "s01-parse", "time": "s02-enrich", "operators": "s02-enrich"}
"""Parser → the stage of CrowdSec's pipeline that it belongs to."""


@dataclass(frozen=True)
class Values:
    """``listen`` is the API's address, ``syslog`` where the gateway sends its lines; ``metrics`` may be empty."""

    ban: str
    operators: tuple[str, ...]
    listen: str
    syslog: str
    metrics: str = ""
    community: str = ""
    folder: str = CONFIG
    hub: str = HUB
    state: str = STATE


def values(topology: Topology, intrusion: Intrusion, operators: tuple[str, ...]) -> Values:
    """The values of a stack."""
    served = [network for network in topology.networks if network.server == CROWDSEC]
    (gateway,) = (network.members[CROWDSEC] for network in served if network.client == GATEWAY)
    watched = [network.members[CROWDSEC] for network in served if network.client == "prometheus"]
    return Values(
        ban=intrusion.ban,
        operators=operators,
        listen=f"0.0.0.0:{API_PORT}",
        syslog=f"{gateway}:{SYSLOG_PORT}",
        metrics=f"{watched[0]}:{METRICS_PORT}" if watched else "",
        community=COMMUNITY_FILE if intrusion.community else "",
    )


def files(given: Values) -> dict[str, str]:
    """Path in the container → text, without secrets."""
    sources = {f"{given.folder}/{name}": f"{name}.j2" for name in ("config.yaml", "acquisition.yaml", "profiles.yaml")}
    sources |= {f"{given.folder}/start.sh": "start.sh"}
    for parser, stage in STAGES.items():
        source = next((FOLDER / "parsers").glob(f"{parser}.yaml*")).name
        sources[f"{given.hub}/parsers/{stage}/{parser}.yaml"] = f"parsers/{source}"
    for scenario in sorted((FOLDER / "scenarios").glob("*.yaml")):
        sources[f"{given.hub}/scenarios/{scenario.name}"] = f"scenarios/{scenario.name}"
    environment = templates(FOLDER)
    rendered = {path: environment.get_template(name).render(vars(given)) for path, name in sources.items()}
    return rendered | _required(given)


def _required(given: Values) -> dict[str, str]:
    """Files that CrowdSec does not start without, though there is nothing to say in them."""
    return {
        f"{given.folder}/simulation.yaml": "simulation: false\n",
        f"{given.folder}/index.json": '{"parsers":{},"scenarios":{},"collections":{},"postoverflows":{}}\n',
        f"{given.hub}/patterns/gateway": "GATEWAY gateway\n",
    }


def community(login: str, password: str) -> str:
    """CrowdSec's credentials for its shared blocklists."""
    return json.dumps({"url": COMMUNITY_URL, "login": login, "password": password}) + "\n"
