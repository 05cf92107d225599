"""The stand-in as a process of its own; prints its address and runs until it is told to end (SIGTERM, SIGINT)."""

import argparse
import asyncio
import json
import signal

from .control import Control
from .server import DiscordServer


async def serve(port: int, keep_files: bool) -> None:
    """Serve until a signal."""
    end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end.set)
    server = DiscordServer(port, keep_files=keep_files)
    server.more_routes = Control(server).routes()
    async with server:
        addresses = {
            "url": server.url,
            "api": server.api_url,
            "gateway": server.gateway_url,
            "token": server.settings.token,
        }
        print(json.dumps(addresses), flush=True)
        await end.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.end_to_end.discord_server", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--keep-files", action="store_true", help="keep the bytes of files, not only their measures")
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.port, arguments.keep_files))
