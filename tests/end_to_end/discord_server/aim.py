"""Points discord.py at the stand-in: its base addresses and nothing else.

`python -m tests.end_to_end.discord_server.aim URL MODULE ARGUMENT…` runs a module as `python -m` would, aimed at URL.
"""

import runpy
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from .settings import API


@contextmanager
def aimed_at(api_url: str, gateway_url: str) -> Iterator[None]:
    """While it is open, discord.py talks to these addresses."""
    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = api_url, yarl.URL(gateway_url)
    try:
        yield
    finally:
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = before


if __name__ == "__main__":
    base, module, *arguments = sys.argv[1:]
    sys.argv = [module, *arguments]
    with aimed_at(f"{base}{API}", f"{base.replace('http', 'ws', 1)}/gateway"):
        runpy.run_module(module, run_name="__main__", alter_sys=True)
