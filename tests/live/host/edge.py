"""Stand-in for Cloudflare's edge: connectors dial in on 7844, operators' SSH clients on loopback; it pairs them.

Usage: edge.py TOKEN. Prints the time of each connector that came with the token.
"""

import asyncio
import sys
import time

CONNECTORS, CLIENTS = 7844, 2222
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def main(token: str) -> None:
    idle: asyncio.Queue[Stream] = asyncio.Queue()

    async def connector(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if (await reader.readline()).decode().strip() != token:
            writer.close()
            return
        writer.write(b"R")
        print(time.time(), flush=True)
        await idle.put((reader, writer))

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await idle.get()
        while inner_reader.at_eof():
            inner_reader, inner_writer = await idle.get()
        inner_writer.write(b"G")
        await asyncio.gather(pump(reader, inner_writer), pump(inner_reader, writer))

    await asyncio.start_server(connector, "0.0.0.0", CONNECTORS)  # noqa: S104 # in a namespace of the test
    server = await asyncio.start_server(client, "127.0.0.1", CLIENTS)
    await server.serve_forever()


asyncio.run(main(sys.argv[1]))
