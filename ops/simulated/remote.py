"""What `ssh` does in a simulated run: the "server" is this machine, and its Engine is the one of DOCKER_HOST.

Options are for a connection that there is none of. Anything but docker is refused: this shall never run what a real
server was meant to run. The tools that make machines a Swarm (components/host/member, mesh) are answered and not run.
Needs nothing but Python's own library, since any python3 on PATH runs it.
"""

import os
import socket
import sys
import threading
from urllib.parse import urlsplit

WITH_VALUE = "bcDEeFIiJLlmOopQRSWw"
"""Options of ssh that take a value."""
BLOCK = 65536
NO_CONNECTION = 255
"""What ssh ends with where the command was never run: whoever asked must not take it for the command's answer."""
SIMULATED = (["version"], ["system", "dial-stdio"])
"""What a deployment needs. The simulated Engine speaks plain HTTP, so no docker command is needed for it."""
TOOLS = {
    "/usr/local/lib/zero-exposure/swarm": ("keep-key", "join", "label"),
    "/usr/local/lib/zero-exposure/mesh": ("members", "peers"),
}
"""Tool of a server → words for which it reads something first."""
ANSWERS = {"show-key": "SWMKEY-1-simulated", "token": "SWMTKN-1-simulated", "identity": "simulated", "peers": "key"}
"""What they print; for every other word nothing."""


def main(arguments: list[str]) -> int:
    """The command's exit code."""
    host, command = _split(arguments)
    tool, word = " ".join(command[1:2]), " ".join(command[2:3])
    if command[:1] == ["sudo"] and tool in TOOLS:
        return _answer(tool, word)
    if command[:1] != ["docker"]:
        print(f"simulated ssh to {host}: only docker is run here", file=sys.stderr)
        return NO_CONNECTION
    engine = urlsplit(os.environ.get("DOCKER_HOST", ""))
    if engine.scheme == "tcp" and command[1:] in SIMULATED:
        return _simulated(command[1:], engine.hostname or "", engine.port or 0)
    os.execvp("docker", command)  # noqa: S606 - a list, and no shell
    return 1


def _split(arguments: list[str]) -> tuple[str, list[str]]:
    """Host, and the command's words: ssh joins its arguments, and the other side's shell splits them again."""
    rest = list(arguments)
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if len(option) == 2 and option[1] in WITH_VALUE:
            rest.pop(0)
    host = rest.pop(0) if rest else ""
    return host, " ".join(word for word in rest if word != "--").split()


def _answer(tool: str, word: str) -> int:
    if word in TOOLS[tool]:
        sys.stdin.read()
    print(ANSWERS.get(word, ""))
    return 0


def _simulated(command: list[str], host: str, port: int) -> int:
    with socket.create_connection((host, port)) as engine:
        if command == ["system", "dial-stdio"]:
            return _dial(engine)
    print("the simulated Engine is there")
    return 0


def _dial(engine: socket.socket) -> int:
    """Carry bytes both ways until both sides have ended."""
    reader = threading.Thread(target=_send, args=(engine,), daemon=True)
    reader.start()
    while block := engine.recv(BLOCK):
        os.write(sys.stdout.fileno(), block)
    return 0


def _send(engine: socket.socket) -> None:
    while block := os.read(sys.stdin.fileno(), BLOCK):
        engine.sendall(block)
    engine.shutdown(socket.SHUT_WR)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
