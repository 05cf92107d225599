"""A real PostgreSQL server in a folder of its own, reached through a socket there; Debian packages the programs."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SUPERUSER = "ohlora"
# nothing here outlives its folder
_QUICK = ("fsync=off", "full_page_writes=off")


def binaries() -> Path | None:
    """Where `initdb` and its like are; None where no server is installed."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: int(path.parts[4]))
    found = installed[-1] if installed else shutil.which("pg_ctl")
    return Path(found).parent if found else None


@dataclass(frozen=True)
class PostgresServer:
    """A cluster in `folder`, owned by `account` (None: whoever runs this). `options`: as in postgresql.conf."""

    programs: Path
    folder: Path
    account: str | None
    options: tuple[str, ...] = ()

    def url(self, database: str = "postgres") -> str:
        """As the record takes it."""
        return f"postgresql+asyncpg://{SUPERUSER}@/{database}?host={self.folder}"

    def init(self) -> None:
        """Make the cluster."""
        self._run("initdb", "-D", self._data, "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")

    def start(self) -> None:
        """Returns when it takes connections."""
        options = ("listen_addresses=", f"unix_socket_directories={self.folder}", *self.options)
        given = " ".join(f"-c {option}" for option in options)
        self._run("pg_ctl", "-D", self._data, "-l", str(self.folder / "log"), "-w", "-o", given, "start")

    def stop(self, mode: str = "immediate") -> None:
        """`mode`: immediate is a crash, fast rolls back what is under way."""
        self._run("pg_ctl", "-D", self._data, "-w", "-m", mode, "stop")

    def sql(self, statement: str, database: str = "postgres") -> str:
        """What psql prints for one statement, bare."""
        where = ("-h", str(self.folder), "-U", SUPERUSER, "-d", database)
        return self._run("psql", *where, "-v", "ON_ERROR_STOP=1", "-qAtc", statement).strip()

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def _run(self, program: str, *arguments: str) -> str:
        command = [str(self.programs / program), *arguments]
        # the server inherits the output and would keep a pipe open: it goes to a file
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                command, cwd=self.folder, stdout=output, stderr=subprocess.STDOUT, user=self.account, check=False
            )
            output.seek(0)
            printed = output.read()
        if done.returncode:
            raise RuntimeError(f"{program} failed: {printed}")
        return printed


@contextmanager
def postgres_server(*options: str) -> Iterator[PostgresServer]:
    """A running server that is gone afterwards. Raises RuntimeError where none is installed."""
    programs = binaries()
    if programs is None:
        raise RuntimeError("no PostgreSQL server is installed; apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="ohlora-postgres-"))
    account = _unprivileged() if os.geteuid() == 0 else None  # the server refuses to run as root
    if account is not None:
        os.chown(folder, pwd.getpwnam(account).pw_uid, -1)
    server = PostgresServer(programs, folder, account, (*_QUICK, *options))
    try:
        server.init()
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


def _unprivileged() -> str:
    return next(name for name in ("postgres", "nobody") if any(one.pw_name == name for one in pwd.getpwall()))
