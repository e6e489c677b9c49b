"""An origin that thinks for 200 ms about a page that is fresh for 1 s: what stale-while-revalidate is for."""

import asyncio
import sys
from contextlib import suppress

DELAY = 0.2
BODY = b"s" * 1024
HEAD = (
    b'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\nETag: "slow"\r\n'
    b"Cache-Control: public, s-maxage=1, stale-while-revalidate=3600\r\n\r\n"
)


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(DELAY)
            writer.write(HEAD % len(BODY) + BODY)
            await writer.drain()
    writer.close()


async def serve(port: int) -> None:
    async with await asyncio.start_server(answer, "127.0.0.1", port) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
