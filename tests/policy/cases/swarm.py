"""A Swarm: its services, configs and networks, and the private network of its machines."""

import base64

from policy.rules import tokens
from policy.rules.model import UNKNOWN
from tests.policy.cases.base import Cases, network, other, placed, secret, service
from tests.policy.stacks import labelled

OVERLAY = {
    "driver": "overlay",
    "options": {
        "encrypted": "true",
        "com.docker.network.driver.mtu": "1450",
        "com.docker.network.driver.overlay.vxlanid_list": "5242880",
    },
}
REASON = labelled(role="service", node="api", **{"root-reason": "the image prepares its data as root"})
PAUSE = labelled(role="service", node="postgres", **{"pause-reason": "who leads is said by the stack file alone"})
LIMITS = {"memoryBytes": 1024, "nanoCpus": 1}


def config(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


CASES = {
    "service-no-ports": Cases(
        caught={
            "by the routing mesh": placed(endpointSpec={"mode": "vip", "ports": [{"targetPort": 80}]}),
            "on its machine": placed(
                endpointSpec={"mode": "dnsrr", "ports": [{"targetPort": 80, "publishMode": "host"}]}
            ),
            "unknown": placed(endpointSpec=UNKNOWN),
            "nothing said": placed(endpointSpec=None),
            "a mode unknown": placed(endpointSpec={"mode": UNKNOWN}),
        },
        passes={"names": placed(), "a virtual address": placed(endpointSpec={"mode": "vip"})},
    ),
    "service-host": Cases(
        caught={
            "a name for the host": service(hosts=[{"host": "host", "ip": "host-gateway"}]),
            "a kernel setting": service(sysctl={"kernel.msgmax": "1"}),
            "a group of the host": service(groups=["docker"]),
            "a plugin": service(task={"runtime": "plugin"}),
            "the host's network": service(task={"networksAdvanceds": [{"name": "host"}]}),
            "the mesh's network": service(task={"networksAdvanceds": [{"id": "ingress"}]}),
            "another container's network": service(task={"networksAdvanceds": [{"name": "container:dev-db"}]}),
            "networks of nothing known": service(task={"networksAdvanceds": [UNKNOWN]}),
        },
        passes={
            "a network by name": service(task={"networksAdvanceds": [{"name": "dev-link-api-db"}]}),
            "a network that is not there yet": service(task={"networksAdvanceds": [{"id": UNKNOWN}]}),
        },
    ),
    "service-isolated": Cases(
        caught={
            "capabilities": service(capAdds=["SYS_ADMIN"]),
            "capabilities kept": service(capDrops=None),
            "root": service(user="root"),
            "the image's user": service(user=None),
            "writable": service(readOnly=False),
            "unknown": service(readOnly=UNKNOWN),
            "another security context": service(privileges={"seLinuxContext": {"disable": True}}),
            "the default network": service(task={"networksAdvanceds": None}),
            "networks unknown": service(task={"networksAdvanceds": UNKNOWN}),
        },
        passes={"root with a reason": placed(service(user="0:0"), labels=REASON), "as the program makes it": service()},
    ),
    "service-limits": Cases(
        caught={
            "no limits": service(task={"resources": None}),
            "no limit of memory": service(task={"resources": {"limits": {**LIMITS, "memoryBytes": 0}}}),
            "no limit of CPU": service(task={"resources": {"limits": {**LIMITS, "nanoCpus": None}}}),
            "unknown": service(task={"resources": UNKNOWN}),
            "a log without end": service(task={"logDriver": {"name": "json-file"}}),
            "a log that leaves": service(task={"logDriver": {"name": "syslog"}}),
            "never again": service(task={"restartPolicy": {"condition": "none"}}),
        },
        passes={"with limits": service(), "restarts unsaid": service(task={"restartPolicy": None})},
    ),
    "service-rollback": Cases(
        caught={
            "it goes on": placed(updateConfig={"failureAction": "continue"}),
            "it stops half-way": placed(updateConfig={"failureAction": "pause"}),
            "it stops, and the reason is none": placed(
                updateConfig={"failureAction": "pause"}, labels=labelled(**{"pause-reason": "because"})
            ),
            "it goes on, with a reason": placed(updateConfig={"failureAction": "continue"}, labels=PAUSE),
            "unsaid": placed(updateConfig=None),
            "unknown": placed(updateConfig=UNKNOWN),
        },
        passes={
            "taken back": placed(),
            "it stops, with a reason": placed(updateConfig={"failureAction": "pause"}, labels=PAUSE),
        },
    ),
    "service-mounts": Cases(
        caught={
            "the socket": service(mounts=[{"type": "bind", "source": "/var/run/docker.sock"}]),
            "a driver": service(mounts=[{"type": "volume", "volumeOptions": {"driverName": "nfs"}}]),
        },
        passes={
            "a volume": service(mounts=[{"type": "volume", "source": "dev-data", "target": "/data"}]),
            "a volume that is not there yet": service(mounts=[{"type": "volume", "source": UNKNOWN}]),
        },
    ),
    "service-image": Cases(
        caught={"latest": service(image="example/app:latest"), "no tag": service(image="app")},
        passes={"a version": service()},
    ),
    "service-secret-file": Cases(
        caught={
            "by name": service(env={"DB_PASSWORD": "hunter22"}),
            "unknown": service(env={"A": UNKNOWN}),
            "an argument": service(args=["--db=postgres://u:hunter22@db/app"]),
            "a command": service(commands=["run", "redis://:hunter22@cache"]),
            "marked as secret": secret(service(env={"A": "x"}), "taskSpec.containerSpec.env.A"),
        },
        passes={"a file": service(env={"DB_PASSWORD_FILE": "/run/secrets/db"})},
    ),
    "config-public": Cases(
        caught={
            "a private key": other(tokens.SERVICE_CONFIG, data=config("-----BEGIN PRIVATE KEY-----\nabc")),
            "marked as secret": secret(other(tokens.SERVICE_CONFIG, data=config("x")), "data"),
            "in plain": other(tokens.SERVICE_CONFIG, data="server { listen 80; }"),
        },
        passes={
            "a file": other(tokens.SERVICE_CONFIG, data=config("server {}")),
            "unknown": other(tokens.SERVICE_CONFIG, data=UNKNOWN),
        },
    ),
    "private-network": Cases(
        caught={
            "a vswitch": other(tokens.PRIVATE_NETWORK, ipRange="10.0.0.0/16", exposeRoutesToVswitch=True),
            "a subnet of a vswitch": other(tokens.PRIVATE_SUBNET, type="vswitch", vswitchId=1),
            "unknown": other(tokens.PRIVATE_SUBNET, type=UNKNOWN),
        },
        passes={
            "a network": other(tokens.PRIVATE_NETWORK, ipRange="10.0.0.0/16"),
            "a subnet": other(tokens.PRIVATE_SUBNET, type="cloud", ipRange="10.0.0.0/16"),
        },
    ),
}
OVERLAYS = Cases(
    caught={
        "in plain text": network(driver="overlay", options={}),
        "options unknown": network(driver="overlay", options=UNKNOWN),
        "a link that is attachable": network(**OVERLAY, attachable=True),
        "the mesh": network(**OVERLAY, ingress=True),
        "with a way out": network(**OVERLAY, internal=False),
    },
    passes={
        "a link": network(**OVERLAY),
        "egress": network(**OVERLAY, internal=False, attachable=True, labels=labelled(network="egress")),
    },
)
"""Further cases of network-internal."""
