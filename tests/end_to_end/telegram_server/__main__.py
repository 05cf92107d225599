"""`python -m tests.end_to_end.telegram_server --port N`: the stand-in as a process, steered under /control/."""

import argparse
import asyncio
import json
import signal

from .control import Control
from .server import TOKEN, TelegramServer


async def serve(server: TelegramServer) -> None:
    """Say on standard output where it listens, and stay until a signal comes."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    Control(server)
    async with server:
        print(json.dumps({"url": server.url, "token": server.token}), flush=True)
        await stopped.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--token", default=TOKEN)
    parser.add_argument("--time-scale", type=float, default=1.0)
    options = parser.parse_args()
    asyncio.run(serve(TelegramServer(port=options.port, token=options.token, time_scale=options.time_scale)))
