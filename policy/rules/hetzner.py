"""Other Hetzner types. They are outside the table; where a project allows one, these rules still hold."""

from collections.abc import Iterator
from typing import Final

from .model import Resource, Rule
from .reading import View
from .tokens import PRIMARY_IP, PRIVATE_NETWORK, PRIVATE_SUBNET

LOAD_BALANCER: Final = "hcloud:index/loadBalancer"
BALANCERS: Final = (
    f"{LOAD_BALANCER}Network:LoadBalancerNetwork",
    f"{LOAD_BALANCER}Service:LoadBalancerService",
    f"{LOAD_BALANCER}Target:LoadBalancerTarget",
)
STORAGE: Final = (
    "hcloud:index/storageBox:StorageBox",
    "hcloud:index/storageBoxSubaccount:StorageBoxSubaccount",
)
RECORDS: Final = ("hcloud:index/zoneRecord:ZoneRecord", "hcloud:index/zoneRrset:ZoneRrset")
ATTACHMENT: Final = "hcloud:index/firewallAttachment:FirewallAttachment"
RDNS: Final = "hcloud:index/rdns:Rdns"


def balancer_private(resource: Resource) -> Iterator[str]:
    view = View(resource.props)
    if resource.type == BALANCERS[0] and view.known("enablePublicInterface") is not False:
        yield "enablePublicInterface: public unless it is false"
    if resource.type == BALANCERS[1]:
        yield "listenPort: a load balancer's service is an open port"
    if resource.type == BALANCERS[2] and not view.flag("usePrivateIp"):
        yield "usePrivateIp: the target would be reached on its public address"


def storage_closed(resource: Resource) -> Iterator[str]:
    access = View(resource.props).view("accessSettings")
    for key in ("reachableExternally", "sambaEnabled", "webdavEnabled", "sshEnabled", "zfsEnabled"):
        if access.flag(key):
            yield f"{access.at(key)}: the storage is reached from outside"


def no_origin_name(resource: Resource) -> Iterator[str]:
    yield f"{'dnsPtr' if resource.type == RDNS else 'value'}: a public name for the origin's address"


def own_address(resource: Resource) -> Iterator[str]:
    address = View(resource.props)
    if address.given("assigneeId"):
        yield "assigneeId: put on a machine that this program may not know; name the address in a server's publicNets"
    if address.text("assigneeType") not in {"", "server"}:
        yield "assigneeType: only a server, which is behind its firewall"


def private_network(resource: Resource) -> Iterator[str]:
    view = View(resource.props)
    if view.flag("exposeRoutesToVswitch") or view.given("vswitchId"):
        yield "vswitchId: joins the network with machines that this program does not know"
    if resource.type == PRIVATE_SUBNET and view.text("type") != "cloud":
        yield "type: only cloud; other subnets reach beyond the project's servers"


def no_late_attachment(resource: Resource) -> Iterator[str]:
    yield f"{'serverIds' if resource.props.get('serverIds') else 'labelSelectors'}: attached after the first boot"


RULES = (
    Rule(
        id="hetzner-balancer-private",
        severity="critical",
        claim="No load balancer has a public interface or a listening service.",
        remediation="Publish through the tunnel; connector replicas share the load.",
        threat="perimeter",
        types=BALANCERS,
        check=balancer_private,
        waivable=False,
    ),
    Rule(
        id="hetzner-storage-closed",
        severity="critical",
        claim="No storage box is reachable from outside.",
        remediation="Set every key of accessSettings to false.",
        threat="perimeter",
        types=STORAGE,
        check=storage_closed,
        waivable=False,
    ),
    Rule(
        id="hetzner-origin-unnamed",
        severity="high",
        claim="No DNS zone or reverse record at the provider names the origin.",
        remediation="Remove the record. Names live in the Cloudflare zone as proxied CNAMEs.",
        threat="discovery",
        types=(*RECORDS, RDNS),
        check=no_origin_name,
    ),
    Rule(
        id="hetzner-own-address",
        severity="high",
        claim="A public address that outlives its server is named by that server, and put on nothing else.",
        remediation="Leave assigneeType and assigneeId out, and pass the id in the server's publicNets.",
        threat="perimeter",
        types=(PRIMARY_IP,),
        check=own_address,
    ),
    Rule(
        id="private-network",
        severity="critical",
        claim="A private network is the project's own servers' alone.",
        remediation="Use a subnet of type cloud; leave vswitches out.",
        threat="perimeter",
        types=(PRIVATE_NETWORK, PRIVATE_SUBNET),
        check=private_network,
        waivable=False,
    ),
    Rule(
        id="hetzner-late-firewall",
        severity="critical",
        claim="No firewall is attached after a server's first boot.",
        remediation="Name the firewall in the server's firewallIds.",
        threat="perimeter",
        types=(ATTACHMENT,),
        check=no_late_attachment,
        waivable=False,
    ),
)
