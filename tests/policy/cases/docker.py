"""Docker: containers, networks, volumes, images, services, the provider."""

from policy.rules.model import UNKNOWN
from tests.policy.cases.base import (
    Cases,
    carrier,
    container,
    docker_provider,
    image,
    network,
    other,
    volume,
)
from tests.policy.cases.swarm import OVERLAYS
from tests.policy.stacks import labelled

HOST_PATH = {"hostPath": "/var/run/docker.sock", "containerPath": "/var/run/docker.sock"}
ROOT_LABELS = labelled(role="service", node="api", **{"root-reason": "the image prepares its data as root"})
SHORT_REASON = labelled(role="service", node="api", **{"root-reason": "because"})
CHECKED = ["-o", "StrictHostKeyChecking=yes"]
SSH = '["-o","StrictHostKeyChecking=yes"]'
PLUGIN = "docker:index/plugin:Plugin"
BUILDER = "docker:index/buildxBuilder:BuildxBuilder"


CASES = {
    "container-no-ports": Cases(
        caught={
            "published": container(ports=[{"internal": 80, "external": 8080}]),
            "published at random": container(ports=[{"internal": 80}]),
            "on loopback": container(ports=[{"internal": 80, "external": 80, "ip": "127.0.0.1"}]),
            "an unknown port": container(ports=[UNKNOWN]),
            "unknown": container(ports=UNKNOWN),
            "all of them": container(publishAllPorts=True),
            "all of them, perhaps": container(publishAllPorts=UNKNOWN),
            "all of them, as text": container(publishAllPorts="true"),
        },
        passes={"an empty list": container(ports=[]), "off": container(publishAllPorts=False)},
    ),
    "container-network-mode": Cases(
        caught={
            "the host's": container(networkMode="host"),
            "another container's": container(networkMode="container:gateway"),
            "unknown": container(networkMode=UNKNOWN),
            "the default bridge": container(networksAdvanced=None),
            "the default bridge by name": container(networksAdvanced=[], networkMode="bridge"),
            "networks unknown": container(networksAdvanced=UNKNOWN),
            "the host's as its own": container(networkMode="host", networksAdvanced=[{"name": "host"}]),
            "the host's beside its own": container(networksAdvanced=[{"name": "dev-link-api-db"}, {"name": "host"}]),
            "another container's as its own": container(
                networkMode="container:dev-db", networksAdvanced=[{"name": "container:dev-db"}]
            ),
            "the default bridge among its own": container(networksAdvanced=[{"name": "bridge"}]),
            "a name of blanks": container(networksAdvanced=[{"name": " host"}]),
        },
        passes={
            "none": container(networksAdvanced=[], networkMode="none"),
            "a network that is not there yet": container(networksAdvanced=[{"name": UNKNOWN}]),
            "its own": container(networkMode="dev-link-api-db"),
        },
    ),
    "container-host-namespaces": Cases(
        caught={
            "privileged": container(privileged=True),
            "privileged as text": container(privileged="yes"),
            "privileged perhaps": container(privileged=UNKNOWN),
            "the host's processes": container(pidMode="host"),
            "another container's memory": container(ipcMode="container:db"),
            "the host's users": container(usernsMode="host"),
            "the host's cgroups": container(cgroupnsMode="host"),
            "a cgroup of the host": container(cgroupParent="/"),
            "another runtime": container(runtime="nvidia"),
            "a device": container(devices=[{"hostPath": "/dev/kvm"}]),
            "a graphics card": container(gpus="all"),
            "requested devices": container(deviceRequests=[{"driver": "nvidia"}]),
            "device rules": container(deviceCgroupRules=["a *:* rwm"]),
            "a kernel setting": container(sysctls={"kernel.msgmax": "1"}),
            "forwarding": container(sysctls={"net.ipv4.ip_forward": "1"}),
            "Docker's group": container(groupAdds=["docker"]),
            "the host by name": container(hosts=[{"host": "host.docker.internal", "ip": "host-gateway"}]),
            "root's group": container(groupAdds=["0"]),
            "root's group with a sign": container(groupAdds=["+0"]),
            "root's group in many zeros": container(groupAdds=["00"]),
            "an unknown group": container(groupAdds=[UNKNOWN]),
        },
        passes={
            "low ports for everyone": container(sysctls={"net.ipv4.ip_unprivileged_port_start": "0"}),
            "own memory": container(ipcMode="private"),
            "a group of its own": container(groupAdds=["1000"]),
        },
    ),
    "container-capabilities": Cases(
        caught={
            "none dropped": container(capabilities=None),
            "one dropped": container(capabilities={"drops": ["NET_RAW"]}),
            "administration": container(capabilities={"drops": ["ALL"], "adds": ["SYS_ADMIN"]}),
            "with the prefix": container(capabilities={"drops": ["ALL"], "adds": ["CAP_NET_ADMIN"]}),
            "for the start, without a reason": container(capabilities={"drops": ["ALL"], "adds": ["SETUID"]}),
            "unknown": container(capabilities=UNKNOWN),
            "one unknown": container(capabilities={"drops": ["ALL"], "adds": [UNKNOWN]}),
        },
        passes={
            "low ports": container(capabilities={"drops": ["all"], "adds": ["NET_BIND_SERVICE"]}),
            "for the start, with a reason": container(
                labels=ROOT_LABELS, capabilities={"drops": ["ALL"], "adds": ["SETUID", "CAP_CHOWN"]}
            ),
        },
    ),
    "container-security-options": Cases(
        caught={
            "none": container(securityOpts=None),
            "new privileges": container(securityOpts=["no-new-privileges:false"]),
            "no seccomp": container(securityOpts=["no-new-privileges:true", "seccomp=unconfined"]),
            "no AppArmor": container(securityOpts=["no-new-privileges:true", "apparmor:unconfined"]),
            "no SELinux": container(securityOpts=["no-new-privileges:true", "label=disable"]),
            "unknown": container(securityOpts=[UNKNOWN]),
            **{
                f"beside it {option}": container(securityOpts=["no-new-privileges:true", option])
                for option in (
                    'seccomp={"defaultAction":"SCMP_ACT_ALLOW"}',
                    "seccomp=/etc/all.json",
                    "apparmor=nothing",
                    "label=type:spc_t",
                    "writable-cgroups=true",
                    "no-new-privileges:0",
                    "no-new-privileges:f",
                )
            },
        },
        passes={
            "the other form": container(securityOpts=["no-new-privileges=true"]),
            "the short form": container(securityOpts=["no-new-privileges"]),
        },
    ),
    "container-read-only": Cases(
        caught={
            "not set": container(readOnly=None),
            "off": container(readOnly=False),
            "unknown": container(readOnly=UNKNOWN),
            "a carrier that runs": carrier(start=True),
            "a carrier that must run": carrier(mustRun=True),
            "a carrier that comes back": carrier(restart="always"),
        },
        passes={"a carrier": carrier()},
    ),
    "container-non-root": Cases(
        caught={
            "the image's choice": container(user=None),
            "empty": container(user=""),
            "root": container(user="root"),
            "zero": container(user="0:0"),
            "many zeros": container(user="000"),
            "blanks": container(user=" root "),
            "unknown": container(user=UNKNOWN),
            "a reason that says nothing": container(user="0", labels=SHORT_REASON),
            "zero with a sign": container(user="+0"),
            "zero below nothing": container(user="-0:1000"),
        },
        passes={"with a reason": container(user="0:0", labels=ROOT_LABELS), "by name": container(user="nginx:nginx")},
    ),
    "container-mounts": Cases(
        caught={
            "the Docker socket": container(volumes=[HOST_PATH]),
            "the host's root, read-only": container(
                volumes=[{"hostPath": "/", "containerPath": "/host", "readOnly": True}]
            ),
            "a path in place of a name": container(volumes=[{"volumeName": "/etc", "containerPath": "/x"}]),
            "a relative path": container(volumes=[{"volumeName": "./data", "containerPath": "/x"}]),
            "no name": container(volumes=[{"containerPath": "/x"}]),
            "another container's": container(volumes=[{"fromContainer": "db"}]),
            "a path that is unknown": container(volumes=[{"hostPath": UNKNOWN, "containerPath": "/x"}]),
            "a bind mount": container(mounts=[{"type": "bind", "source": "/etc", "target": "/x"}]),
            "a bind mount of nothing known": container(mounts=[{"type": UNKNOWN, "target": "/x"}]),
            "a named pipe": container(mounts=[{"type": "npipe", "target": "/x"}]),
            "a volume by path": container(mounts=[{"type": "volume", "source": "/etc", "target": "/x"}]),
            "a driver's disguise": container(
                mounts=[{"type": "volume", "target": "/x", "volumeOptions": {"driverOptions": {"device": "/"}}}]
            ),
            "unknown": container(volumes=UNKNOWN),
            "mounts unknown": container(mounts=UNKNOWN),
        },
        passes={
            "a named volume": container(volumes=[{"volumeName": "data", "containerPath": "/data"}]),
            "a volume that is not there yet": container(volumes=[{"volumeName": UNKNOWN, "containerPath": "/data"}]),
            "tmpfs": container(mounts=[{"type": "tmpfs", "target": "/tmp"}]),  # noqa: S108 - a path in the container
        },
    ),
    "container-limits": Cases(
        caught={
            "no memory limit": container(memory=None),
            "memory without limit": container(memory=-1),
            "memory in words": container(memory="much"),
            "no CPU limit": container(cpus=None),
            "no limit of processes": container(ulimits=None),
            "unknown": container(memory=UNKNOWN),
        },
        passes={"a quota": container(cpus=None, cpuQuota=50_000), "a carrier": carrier()},
    ),
    "container-log-limits": Cases(
        caught={
            "no limit": container(logOpts={}),
            "no driver": container(logDriver=None),
            "a driver that sends away": container(logDriver="syslog"),
        },
        passes={"no log": container(logDriver="none", logOpts=None), "a carrier": carrier()},
    ),
    "container-restarts": Cases(
        caught={"never": container(restart="no"), "not set": container(restart=None)},
        passes={"always": container(restart="always"), "a carrier": carrier()},
    ),
    "network-internal": Cases(
        caught={
            "not internal": network(internal=False),
            "not set": network(internal=None),
            "unknown": network(internal=UNKNOWN),
            "the host's": network(driver="host"),
            "macvlan": network(driver="macvlan"),
            "ipvlan": network(driver="ipvlan"),
            "overlay": network(driver="overlay"),
            **OVERLAYS.caught,
            "the swarm's ingress": network(ingress=True),
            "attachable": network(attachable=True),
            "IPv6": network(ipv6=True),
        },
        passes={"egress": network(internal=False, labels=labelled(network="egress")), **OVERLAYS.passes},
    ),
    "network-options": Cases(
        caught={
            "bound elsewhere": network(options={"com.docker.network.bridge.host_binding_ipv4": "0.0.0.0"}),  # noqa: S104 - what must be caught
            "routed": network(options={"com.docker.network.bridge.gateway_mode_ipv4": "routed"}),
            "unknown": network(options=UNKNOWN),
        },
        passes={
            "isolated": network(options={"com.docker.network.bridge.gateway_mode_ipv4": "isolated"}),
            "its bridge's name": network(options={"com.docker.network.bridge.name": "br-a"}),
        },
    ),
    "network-declared": Cases(
        caught={
            "no label": network(labels=None),
            "another purpose": network(labels=labelled(network="shared")),
            "a link of one": network(labels=labelled(network="link", client="api")),
            "labels unknown": network(labels=UNKNOWN),
        },
        passes={"a link": network(labels=labelled(network="link", client="api", server="db"))},
    ),
    "volume-local": Cases(
        caught={
            "a bind mount": volume(driverOpts={"type": "none", "o": "bind", "device": "/"}),
            "a share": volume(driverOpts={"type": "nfs", "device": ":/export"}),
            "another driver": volume(driver="vieux/sshfs"),
            "unknown": volume(driver=UNKNOWN),
            "a cluster's": volume(cluster={"availability": "active"}),
        },
        passes={"local": volume(driver="local")},
    ),
    "image-pinned": Cases(
        caught={
            "latest": image(name="postgres:latest"),
            "no tag": image(name="postgres"),
            "a registry's port is no tag": image(name="registry.example.org:5000/postgres"),
            "a moving tag": image(name="postgres:alpine"),
            "unknown": image(name=UNKNOWN),
            "half a digest": image(name="postgres@sha256:abc"),
        },
        passes={
            "a version": image(name="postgres:17.2-alpine"),
            "a digest": image(name=f"postgres@sha256:{'0' * 64}"),
            "both": image(name=f"registry.example.org:5000/postgres:17@sha256:{'0' * 64}"),
        },
    ),
    "container-image": Cases(
        caught={"latest": container(image="postgres:latest"), "none": container(image=None)},
        passes={"unknown": container(image=UNKNOWN), "a version": container(image="postgres:17.2")},
    ),
    "image-build-network": Cases(
        caught={
            "the host's": image(build={"context": ".", "networkMode": "host"}),
            "the host's in an Image": other("docker:index/image:Image", build={"network": "host"}),
            "unknown": image(build=UNKNOWN),
            "built from elsewhere": image(build={"context": ".", "remoteContext": "https://example.org/x.git"}),
            "built without a profile": image(build={"context": ".", "securityOpts": ["seccomp=unconfined"]}),
            "built at all": image(build={"context": "."}),
        },
        passes={
            "pulled": image(),
            "an Image without a network": other("docker:index/image:Image", build={"context": ".", "network": "none"}),
        },
    ),
    "docker-extensions": Cases(
        caught={
            "all permissions": other(PLUGIN, grantAllPermissions=True),
            "some permissions": other(PLUGIN, grantPermissions=[{"name": "network", "values": ["host"]}]),
            "plain TCP": other(BUILDER, endpoint="tcp://198.51.100.7:2375"),
            "the host's network": other(BUILDER, dockerContainer={"network": "host"}),
            "entitlements": other(BUILDER, buildkitFlags="--allow-insecure-entitlement network.host"),
        },
    ),
    "docker-host": Cases(
        caught={
            "plain TCP": docker_provider(host="tcp://198.51.100.7:2375"),
            "TLS": docker_provider(host="https://198.51.100.7:2376"),
            "the environment's": docker_provider(host=None),
            "root": docker_provider(host="ssh://root@ssh.example.org", sshOpts=SSH),
            "a context": docker_provider(context="remote"),
        },
        passes={"local": docker_provider(host="unix:///var/run/docker.sock", sshOpts=None)},
    ),
    "docker-host-key": Cases(
        caught={
            "not checked": docker_provider(sshOpts='["-o","StrictHostKeyChecking=no"]'),
            "taken at first sight": docker_provider(sshOpts='["-o","StrictHostKeyChecking=accept-new"]'),
            "not said": docker_provider(sshOpts=None),
            "a reverse tunnel": docker_provider(sshOpts=[*CHECKED, "-R", "2222:localhost:22"]),
            "a reverse tunnel in one word": docker_provider(sshOpts=[*CHECKED, "-R2222:localhost:22"]),
            "a reverse tunnel by name": docker_provider(sshOpts=[*CHECKED, "-o", "RemoteForward=2222 localhost:22"]),
            "a reverse tunnel after a line": docker_provider(sshOpts=["-o", "BatchMode=yes\n-R", *CHECKED]),
            "another proxy": docker_provider(sshOpts=[*CHECKED, "-o", "ProxyCommand=sh -c id"]),
            "another file": docker_provider(sshOpts=[*CHECKED, "-F", "/tmp/x"]),  # noqa: S108 - a path in a value
            "no list": docker_provider(sshOpts="-o StrictHostKeyChecking=yes"),
            "said twice": docker_provider(sshOpts='["-oStrictHostKeyChecking=yes","-oStrictHostKeyChecking no"]'),
        },
        passes={
            "a list": docker_provider(sshOpts=CHECKED),
            "with a key": docker_provider(sshOpts=[*CHECKED, "-oIdentityFile=~/.ssh/id", "-o", "BatchMode yes"]),
            "unknown": docker_provider(sshOpts=UNKNOWN),
        },
    ),
}
