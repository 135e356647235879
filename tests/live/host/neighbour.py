"""Whatever a guest calls is answered here: TCP ports on every address of this namespace. Usage: neighbour.py PORT…"""

import asyncio
import sys


async def main(ports: list[int]) -> None:
    servers = [await asyncio.start_server(lambda _, writer: writer.close(), None, port) for port in ports]
    await asyncio.gather(*(server.serve_forever() for server in servers))


asyncio.run(main([int(port) for port in sys.argv[1:]]))
