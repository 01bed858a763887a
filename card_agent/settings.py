"""What the station's program can be told: flags, or environment variables of the same name with
YINXU_AGENT_."""

import argparse
import ipaddress
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from card_agent.card.pin_counter import DEFAULT_LIMIT

PREFIX = "YINXU_AGENT_"


class BadSetting(ValueError):
    """A setting cannot be used; the message says which and what would do."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """`state_dir`: key, journal, counters; mode 700. `module`: the PKCS#11 library of the cards. `server`:
    address, https unless on this machine or `allow_http`. `listen`: host:port on the loopback, for the
    station's page. `pin_tries`: wrong PINs that lock a card of this make. `ca_file`: PEM bundle for a private
    TLS authority."""

    state_dir: Path
    module: Path
    server: str
    listen: tuple[str, int]
    pin_tries: int
    allow_http: bool
    ca_file: str | None
    heartbeat_s: float
    wait_s: int


def add_arguments(parser: argparse.ArgumentParser, environment: Mapping[str, str] = os.environ) -> None:
    """The flags, with what the environment says as their defaults."""

    def default(name: str, otherwise: str) -> str:
        return environment.get(PREFIX + name, otherwise)

    add = parser.add_argument
    add("--state-dir", default=default("STATE_DIR", _default_state_dir()), help="key, journal, PIN counts")
    add("--module", default=default("MODULE", "/usr/lib/softhsm/libsofthsm2.so"), help="PKCS#11 library")
    add("--server", default=default("SERVER", ""), help="the server's address; remembered after enrolment")
    add("--listen", default=default("LISTEN", "127.0.0.1:9443"), help="host:port of the station's page")
    add("--pin-tries", default=default("PIN_TRIES", str(DEFAULT_LIMIT)), help="wrong PINs that lock a card")
    add("--allow-http", action="store_true", default=default("ALLOW_HTTP", "") == "1",
        help="accept http:// to another machine (trial networks only)")  # fmt: skip
    add("--ca-file", default=default("CA_FILE", ""), help="PEM bundle of a private TLS authority")
    add("--heartbeat-s", default=default("HEARTBEAT_S", "10"), help="seconds between signs of life")
    add("--wait-s", default=default("WAIT_S", "20"), help="seconds a request for work is held open")


def read(options: argparse.Namespace) -> Settings:
    """Refuses with BadSetting, all faults in one message."""
    faults: list[str] = []
    server = str(options.server).rstrip("/")
    if server and (fault := _server_fault(server, options.allow_http)):
        faults.append(fault)
    host, _, port = str(options.listen).rpartition(":")
    if not _is_loopback(host) or not _is_number(port) or not 0 <= int(port) < 65536:
        faults.append(f"--listen {options.listen}: an address of the loopback with a port, as 127.0.0.1:9443")
    for name, lowest, highest in (("pin_tries", 2, 20), ("heartbeat_s", 1, 60), ("wait_s", 0, 60)):
        text = str(getattr(options, name))
        if not _is_number(text) or not lowest <= int(text) <= highest:
            faults.append(f"--{name.replace('_', '-')} {text}: a number from {lowest} to {highest}")
    if faults:
        raise BadSetting("; ".join(faults))
    return Settings(
        state_dir=Path(options.state_dir),
        module=Path(options.module),
        server=server,
        listen=(host.strip("[]"), int(port)),
        pin_tries=int(options.pin_tries),
        allow_http=options.allow_http,
        ca_file=options.ca_file or None,
        heartbeat_s=float(options.heartbeat_s),
        wait_s=int(options.wait_s),
    )


def _is_number(text: str) -> bool:
    return re.fullmatch("[0-9]{1,9}", text) is not None


def _server_fault(server: str, allow_http: bool) -> str | None:
    parts = urlsplit(server)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query:
        return f"--server {server}: an address as https://seals.example.cn"
    if parts.scheme == "http" and not allow_http and not _is_loopback(parts.hostname):
        return f"--server {server}: https is needed to reach another machine (or --allow-http, on trial networks)"
    return None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _default_state_dir() -> str:
    if os.geteuid() == 0:
        return "/var/lib/yinxu-agent"
    home = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return str(Path(home) / "yinxu-agent")


def flags(arguments: Sequence[str]) -> Settings:
    """Settings from flags alone; for tests and for programs that start an agent."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return read(parser.parse_args(arguments))
