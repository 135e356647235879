"""A TLS server that says which address it has and which name it was asked for.

Usage: server.py CERTIFICATE KEY ADDRESS…  Prints a line for each TCP connection, with or without TLS.
"""

import asyncio
import ssl
import sys


async def main(certificate: str, key: str, *addresses: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address = writer.get_extra_info("sockname")[0]
        print(f"connection {address}", flush=True)
        try:
            await writer.start_tls(context)
            await reader.readuntil(b"\r\n\r\n")
            body = f"reached {address}".encode()
            writer.write(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            writer.close()

    servers = [await asyncio.start_server(answer, address, 443) for address in addresses]
    print("listening", flush=True)
    await asyncio.gather(*(server.serve_forever() for server in servers))


asyncio.run(main(*sys.argv[1:]))
