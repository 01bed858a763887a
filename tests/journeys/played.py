"""Whole demos in processes of their own, as somebody at a terminal runs them: in an empty folder, without settings."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app import servers

YINXU = Path(sys.executable).with_name("yinxu")
DEMO_LIMIT_S = 400
"""A machine that runs other things too takes its time; an idle one needs half a minute."""


def bare_environment(**more: str) -> dict[str, str]:
    """What a terminal has: none of our settings, nothing that tests were started with."""
    ours = ("YINXU_", "DATABASE_URL", "REDIS_URL", "SOFTHSM2_CONF", "PYTEST_")
    return {**{k: v for k, v in os.environ.items() if not k.startswith(ours)}, **more}


def yinxu(folder: Path, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """One command, typed in `folder`."""
    return subprocess.run(
        [YINXU, *words], cwd=folder, env=bare_environment(**environment), capture_output=True, text=True,
        check=False, timeout=DEMO_LIMIT_S,
    )  # fmt: skip


@dataclass
class Demo:
    """One demo's folder (`var/demo` below the folder it was typed in) and its ports."""

    cwd: Path
    environment: dict[str, str] = field(default_factory=dict[str, str])
    port: int = field(default_factory=servers.free_port)
    agent_port: int = field(default_factory=servers.free_port)

    @property
    def words(self) -> list[str]:
        return ["demo", "--json", "--port", str(self.port), "--agent-port", str(self.agent_port)]

    @property
    def folder(self) -> Path:
        return self.cwd / "var" / "demo"

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def yinxu(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return yinxu(self.cwd, *words, **self.environment)

    def audit(self) -> tuple[int, dict[str, Any]]:
        """`yinxu audit verify --json`: exit code and report."""
        done = self.yinxu("audit", "verify", "--json")
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)

    def own_processes(self) -> list[str]:
        """Command lines of everything that runs for this demo, however it was started."""
        mark = str(self.folder).encode()
        return [
            (pid / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            for pid in processes()
            if mark in told(pid / "environ") + told(pid / "cmdline")
        ]

    def open_ports(self) -> list[int]:
        return [port for port in (self.port, self.agent_port) if answers(port)]


def processes() -> list[Path]:
    return [p for p in Path("/proc").iterdir() if p.name.isdigit() and int(p.name) != os.getpid()]


def told(path: Path) -> bytes:
    """What the kernel tells of a process; nothing when it has just ended or is somebody else's."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def lines(text: str) -> list[Mapping[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]
