"""A real Redis server on a free port of this machine, with a folder of its own."""

import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from redis import Redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

PROGRAM = "redis-server"
_TRIES, _PAUSE_S = 500, 0.02


def installed() -> bool:
    """Whether there is a server to start."""
    return shutil.which(PROGRAM) is not None


@dataclass
class RedisServer:
    """Its data in `folder`; over a restart it keeps the port. `options`: as redis-server takes them."""

    folder: Path
    port: int
    options: tuple[str, ...] = ()
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        """As clients take it."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Returns when it takes commands, with what it had written before; one that runs goes on."""
        if self._process is not None:
            return
        where = ("--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder), "--save", "")
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen([PROGRAM, *where, *self.options], stdout=log, stderr=log)
        with Redis.from_url(self.url, retry=Retry(ConstantBackoff(_PAUSE_S), _TRIES)) as client:
            client.ping()

    def stop(self) -> None:
        """As a host does: it writes what it has to keep, and ends."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """As a crash does; without --appendonly yes everything is lost."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """It takes connections and answers nothing, until it is resumed."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """It answers again, also what was asked meanwhile."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def _end(self, number: signal.Signals) -> None:
        self._signal(number)
        if self._process is not None:
            self._process.wait()
            self._process = None


@contextmanager
def redis_server(*options: str) -> Iterator[RedisServer]:
    """A running server that is gone afterwards. Raises FileNotFoundError where none is installed."""
    folder = Path(tempfile.mkdtemp(prefix="ohlora-redis-"))
    server = RedisServer(folder, _free_port(), options)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder)


def _free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port: int = asked.getsockname()[1]
    return port
