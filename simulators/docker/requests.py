"""What each call takes, by the Engine's own names.

Clients written in Go send every field of a structure, empty ones too. So an empty field that is not here is passed
over; one with a value is refused: a simulator that swallows it would pretend to obey.
"""

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_pascal

from simulators.store import Row


def _says(value: Any) -> bool:  # noqa: ANN401 - any JSON
    """Whether there is anything in a value but zeros."""
    return any(map(_says, value)) if isinstance(value, list) else bool(value)


class Request(BaseModel):
    """A request's body."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_pascal)

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, body: Any) -> Any:  # noqa: ANN401 - any JSON
        return {key: value for key, value in body.items() if _says(value)} if isinstance(body, Mapping) else body

    def row(self) -> Row:
        """As the Engine shows it."""
        return self.model_dump(mode="json", by_alias=True)


class AddressPool(Request):
    """One range of a network."""

    subnet: IPv4Network
    gateway: IPv4Address | None = None


class AddressManagement(Request):
    """A network's addresses."""

    driver: str = "default"
    config: list[AddressPool] = []


class NewNetwork(Request):
    """POST /networks/create."""

    name: str = Field(min_length=2)
    check_duplicate: bool = True
    driver: str = "bridge"
    internal: bool = False
    attachable: bool = False
    options: dict[str, str] = {}
    labels: dict[str, str] = {}
    ipam: AddressManagement = Field(AddressManagement(), alias="IPAM")


class OwnAddress(Request):
    """A fixed address."""

    ipv4_address: IPv4Address | None = Field(None, alias="IPv4Address")


class Endpoint(Request):
    """A container's place on a network."""

    ipam_config: OwnAddress = Field(OwnAddress(), alias="IPAMConfig")
    aliases: list[str] = []


class Connection(Request):
    """POST /networks/{id}/connect."""

    container: str
    endpoint_config: Endpoint = Endpoint()


class Disconnection(Request):
    """POST /networks/{id}/disconnect."""

    container: str
    force: bool = False


class NewVolume(Request):
    """POST /volumes/create."""

    name: str | None = None
    driver: str = "local"
    driver_opts: dict[str, str] = {}
    labels: dict[str, str] = {}


class Healthcheck(Request):
    """Times are nanoseconds."""

    test: list[str] = []
    interval: int = 0
    timeout: int = 0
    start_period: int = 0
    start_interval: int = 0
    retries: int = 0


def _mode(mode: str) -> str:
    """The Engine's word for its default."""
    return "bridge" if mode == "default" else mode


class RestartPolicy(Request):
    """When the Engine starts it again."""

    name: str = "no"
    maximum_retry_count: int = 0


class Ulimit(Request):
    """A limit of the kernel."""

    name: str
    soft: int = 0
    hard: int = 0


class Log(Request):
    """Where output goes."""

    type: str = "json-file"
    config: dict[str, str] = {}


class HostConfig(Request):
    """What a container gets of the server. Published ports, privileges, devices and the host's namespaces are not here.

    The program has no use for them, so they are refused.
    """

    binds: list[str] = []
    network_mode: Annotated[str, AfterValidator(_mode)] = "bridge"
    restart_policy: RestartPolicy = RestartPolicy()
    cap_add: list[str] = []
    cap_drop: list[str] = []
    dns: list[str] = []
    extra_hosts: list[str] = []
    log_config: Log = Log()
    memory: int = 0
    memory_swap: int = 0
    nano_cpus: int = 0
    readonly_rootfs: bool = False
    security_opt: list[str] = []
    tmpfs: dict[str, str] = {}
    ulimits: list[Ulimit] = []
    init: bool | None = None
    runtime: str = "runc"
    ipc_mode: str = "private"
    shm_size: int = 64 * 1024 * 1024


class Networking(Request):
    """Networks at creation."""

    endpoints_config: dict[str, Endpoint] = {}


class NewContainer(Request):
    """POST /containers/create."""

    image: str
    hostname: str = ""
    env: list[str] = []
    cmd: list[str] | None = None
    entrypoint: list[str] | None = None
    user: str = ""
    working_dir: str = ""
    labels: dict[str, str] = {}
    healthcheck: Healthcheck | None = None
    stop_signal: str = ""
    stop_timeout: int | None = None
    volumes: dict[str, Any] = {}
    attach_stdout: bool = False
    attach_stderr: bool = False
    host_config: HostConfig = HostConfig()
    networking_config: Networking = Networking()


class Update(Request):
    """POST /containers/{id}/update."""

    restart_policy: RestartPolicy | None = None
    memory: int | None = None
    memory_swap: int | None = None
    nano_cpus: int | None = None
