"""A proxy that gives both directions of a connection a delay, in a process of its own: a network that is far away.

`python -m tests.benchmarks.delay TARGET_PORT MILLISECONDS` prints its port and works until its standard input ends.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_CHUNK = 2**18


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> None:
    """Write what is read, each piece `seconds` after it came; many pieces are under way at once."""
    loop = asyncio.get_running_loop()
    pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(1_000)

    async def deliver() -> None:
        while True:
            due, piece = await pieces.get()
            await asyncio.sleep(max(0.0, due - loop.time()))
            if not piece:
                writer.close()
                return
            writer.write(piece)
            await writer.drain()

    delivery = asyncio.create_task(deliver())
    try:
        while piece := await reader.read(_CHUNK):
            await pieces.put((loop.time() + seconds, piece))
    except ConnectionError:
        pass
    await pieces.put((loop.time() + seconds, b""))
    await asyncio.gather(delivery, return_exceptions=True)


async def serve(target: int, milliseconds: float) -> None:
    """Serve on a free port of 127.0.0.1 until standard input ends."""
    one_way = milliseconds / 2_000

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", target)
        await asyncio.gather(_pump(reader, back, one_way), _pump(there, writer, one_way))

    server = await asyncio.start_server(connect, "127.0.0.1", int(sys.argv[3]) if len(sys.argv) > 3 else 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()


@contextmanager
def delayed(target: int, milliseconds: float, port: int = 0) -> Iterator[int]:
    """Give the port of a proxy before `target` whose round trip takes `milliseconds`."""
    command = [sys.executable, "-m", __name__, str(target), str(milliseconds), str(port)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.communicate(timeout=10)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))
