"""A virtual machine as a provider rents it out: user data, a network cable, a volume that is attached later."""

import base64
import json
import os
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.live.host.image import Image
from tests.live.host.network import GUEST_CONFIG, GUEST_MAC, TAP, Network, wait_for

BOOT_SECONDS: Final = 1800
"""Emulated on a busy machine a boot takes minutes; there is no upper bound to assert on."""
VOLUME: Final = "4711"
MEMORY_MB: Final = 1536
COMMAND_LINE: Final = "root=LABEL=root rw console=ttyS0 net.ifnames=0 quiet panic=-1 mitigations=off"
"""Without guards against flaws of processors, which an emulated one does not have: a tenth less to emulate."""


@dataclass(frozen=True)
class Answer:
    """What a command in the guest returned. ``output`` has both streams."""

    code: int
    output: str


class Machine:
    """One guest. Its agent answers over a serial line, so that looking inside needs no network."""

    def __init__(self, image: Image, network: Network, folder: Path, user_data: str) -> None:
        self.folder, self.network = folder, network
        _seed(folder, user_data)
        overlay = ("qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", image.disk, folder / "disk.qcow2")
        subprocess.run(overlay, check=True)
        self._command = network.command("nice", *_qemu(image, folder))
        self.start()

    def start(self) -> None:
        """Power on."""
        self.powered_on = time.time()
        with (self.folder / "qemu.log").open("a") as log:
            self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    @property
    def processor_seconds(self) -> float:
        """Processor time since power-on: unlike the clock's, it says something on a busy machine too."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        """Pull the plug."""
        self._process.terminate()
        self._process.wait(30)

    def shut_down(self) -> None:
        """Ask the system to stop, and wait until it has."""
        self._agent("guest-shutdown", {"mode": "powerdown"}, answered=False)
        self._process.wait(BOOT_SECONDS)

    def restart(self) -> None:
        """Restart the system, and wait until its agent answers again."""
        before = self._boot()
        self.powered_on = time.time()
        self.output("systemctl --no-block reboot")
        wait_for(lambda: self._booted_since(before), "restart", BOOT_SECONDS)

    def attach_volume(self, disk: Path) -> None:
        """As the provider does it: the device appears in a running system, with the volume's id."""
        node = {"driver": "file", "filename": str(disk), "node-name": "volume"}
        device = {"driver": "scsi-hd", "id": "volume", "drive": "volume", "bus": "scsi.0"}
        identity = {"vendor": "HC", "product": "Volume", "device_id": VOLUME}
        self._monitor("blockdev-add", node)
        self._monitor("device_add", device | identity)

    def run(self, script: str, timeout: float = 300) -> Answer:
        """Run a shell script as root."""
        arguments = {"path": "/bin/sh", "arg": ["-c", script], "capture-output": True}
        started = self._agent("guest-exec", arguments)
        state: dict[str, Any] = {}

        def exited() -> bool:
            state.update(self._agent("guest-exec-status", started))
            return bool(state["exited"])

        wait_for(exited, script, timeout, every=0.1)
        output = b"".join(base64.b64decode(state.get(stream, "")) for stream in ("out-data", "err-data"))
        return Answer(state.get("exitcode", -1), output.decode(errors="replace"))

    def output(self, script: str, timeout: float = 300) -> str:
        """What a script prints, without white space around it. A script that fails is an error."""
        answer = self.run(script, timeout)
        assert answer.code == 0, f"{script}\n{answer.output}"
        return answer.output.strip()

    def wait_for_agent(self) -> None:
        """Until commands can be run."""
        wait_for(self._answers, "guest agent", BOOT_SECONDS)

    def wait_for_units(self, *units: str) -> None:
        """Until every unit is active."""
        script = f"systemctl is-active {' '.join(units)}"
        # Emulated, each question costs a second of the boot.
        wait_for(lambda: set(self.run(script).output.split()) == {"active"}, script, BOOT_SECONDS, every=5)

    def wait_for_cloud_init(self) -> None:
        """Until its result is written: asking cloud-init itself starts a Python each time."""
        wait_for(lambda: self.run("test -s /run/cloud-init/result.json").code == 0, "cloud-init", BOOT_SECONDS, every=5)

    def _boot(self) -> str:
        return self.output("cat /proc/sys/kernel/random/boot_id")

    def _booted_since(self, boot: str) -> bool:
        """The agent may vanish in the middle of a call."""
        try:
            return self._answers() and self._boot() != boot
        except (OSError, ValueError, RuntimeError):
            return False

    def _answers(self) -> bool:
        if self._process.poll() is not None:
            raise RuntimeError((self.folder / "qemu.log").read_text())
        try:
            self._agent("guest-ping", {}, timeout=2)
        except (OSError, ValueError):
            return False
        return True

    def _agent(
        self, command: str, arguments: dict[str, Any], timeout: float = 30, answered: bool = True
    ) -> Any:  # JSON
        with _connect(self.folder / "agent.sock", timeout) as line:
            stream = line.makefile("rwb")
            _synchronise(stream)
            _send(stream, {"execute": command, "arguments": arguments})
            return _returned(stream.readline()) if answered else None

    def _monitor(self, command: str, arguments: dict[str, Any]) -> None:
        with _connect(self.folder / "monitor.sock", 30) as line:
            stream = line.makefile("rwb")
            stream.readline()
            for request in ({"execute": "qmp_capabilities"}, {"execute": command, "arguments": arguments}):
                _send(stream, request)
                _returned(stream.readline())


def _synchronise(stream: Any) -> None:
    """Skip what an earlier, abandoned call left behind: a byte that is no JSON resets the agent's parser."""
    mark = time.time_ns() & 0xFFFFFFF
    _send(stream, {"execute": "guest-sync", "arguments": {"id": mark}}, b"\xff")
    while json.loads(stream.readline()).get("return") != mark:
        pass


def _connect(path: Path, timeout: float) -> socket.socket:
    line = socket.socket(socket.AF_UNIX)
    line.settimeout(timeout)
    line.connect(str(path))
    return line


def _send(stream: Any, request: dict[str, Any], before: bytes = b"") -> None:  # a socket
    stream.write(before + json.dumps(request).encode() + b"\n")
    stream.flush()


def _returned(line: bytes) -> Any:  # JSON
    answer = json.loads(line)
    if "return" not in answer:
        raise RuntimeError(answer)
    return answer["return"]


def _seed(folder: Path, user_data: str) -> None:
    """The disk that cloud-init's NoCloud source reads."""
    texts = {
        "user-data": user_data,
        "meta-data": f"instance-id: {folder.name}\nlocal-hostname: guest\n",
        "network-config": GUEST_CONFIG,
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    paths = [folder / name for name in texts]
    subprocess.run(["genisoimage", "-quiet", "-V", "cidata", "-r", "-J", "-o", folder / "seed.iso", *paths], check=True)


def _qemu(image: Image, folder: Path) -> list[str]:
    net, agent = f"tap,id=net,ifname={TAP},script=no,downscript=no", f"socket,id=agent,path={folder}/agent.sock"
    options = {
        "machine": "q35,sata=off,smbus=off",
        "accel": _accelerator(),
        "cpu": "Nehalem",  # The fewer features, the fewer kernel modules are loaded, and the less state is switched.
        "m": str(MEMORY_MB),
        "smp": "1",  # With a second one everything costs a third more to emulate, and the attacker has no processor.
        "display": "none",
        "kernel": str(image.kernel),
        "initrd": str(image.initrd),
        "append": COMMAND_LINE,
        "serial": f"file:{folder}/console.log",
        "qmp": f"unix:{folder}/monitor.sock,server=on,wait=off",
        "netdev": net,
        "chardev": f"{agent},server=on,wait=off",
        "object": "rng-random,id=random,filename=/dev/urandom",
    }
    drives = [f"file={folder}/disk.qcow2,if=virtio,cache=unsafe", f"file={folder}/seed.iso,if=virtio,readonly=on"]
    devices = [f"virtio-net-pci,netdev=net,mac={GUEST_MAC},romfile=", "virtio-rng-pci,rng=random", "virtio-serial"]
    devices += ["virtserialport,chardev=agent,name=org.qemu.guest_agent.0", "virtio-scsi-pci,id=scsi"]
    command = [
        "qemu-system-x86_64",
        "-nodefaults",
        *(part for key, value in options.items() for part in (f"-{key}", value)),
    ]
    command += [part for drive in drives for part in ("-drive", drive)]
    return command + [part for device in devices for part in ("-device", device)]


def _accelerator() -> str:
    """Hardware virtualisation where the processor has it; a /dev/kvm alone does not boot a kernel."""
    flags = Path("/proc/cpuinfo").read_text().split()
    return "kvm" if Path("/dev/kvm").exists() and {"vmx", "svm"} & set(flags) else "tcg,thread=single,tb-size=512"
