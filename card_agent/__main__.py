"""python -m card_agent enrol | run | status | forget-pins: the station's program on its command line.

What a command does not need is not imported: `status` is a health check and runs often.
"""

import argparse
import http.client
import json
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

from card_agent import settings
from card_agent.card.pin_counter import PinCounter
from card_agent.fault import CannotStart, Fault
from card_agent.version import VERSION

USAGE = 64
LOOPBACK_FILE = "loopback.json"


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    os.umask(0o077)  # keys, tokens and counters: nobody else on this computer needs to read them
    _log_to_stderr()
    try:
        return _COMMANDS[options.command](options)
    except settings.BadSetting as error:
        print(f"card_agent: {error}", file=sys.stderr)
        return USAGE
    except (CannotStart, OSError) as error:
        print(f"card_agent: {error}", file=sys.stderr)
        return 1
    except Fault as fault:
        print(f"card_agent: {fault.en}\n{fault.zh}", file=sys.stderr)
        return 1


def enrol(options: argparse.Namespace) -> int:
    """Redeem a one-time code. Prints the station's id as JSON."""
    from card_agent import enrolment

    given = settings.read(options)
    if not given.server:
        raise settings.BadSetting("--server (or YINXU_AGENT_SERVER) is needed to enrol")
    code = sys.stdin.readline().strip() if options.code == "-" else options.code
    roots = enrolment.root_file(Path(options.root)) if options.root else ()
    station = enrolment.enrol(given, code, roots)
    print(json.dumps({"station_id": station.station_id, "station_name": station.station_name}))
    return 0


def run(options: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C."""
    from card_agent.agent import Agent

    given = settings.read(options)
    stopped = threading.Event()

    def stop(_number: int, _frame: object) -> None:
        stopped.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    agent = Agent(given)
    print(f"card agent {VERSION}: {agent.address}", flush=True)
    agent.run_until(stopped)
    return 0


def status(options: argparse.Namespace) -> int:
    """The running agent's state as JSON; exit code 0 when it is in touch with its server."""
    given = settings.read(options)
    try:
        address = urlsplit(str(json.loads((given.state_dir / LOOPBACK_FILE).read_text())["address"]))
        connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=5)
        connection.request("GET", "/state")
        state = json.loads(connection.getresponse().read())
    except (OSError, ValueError, http.client.HTTPException):
        print("card_agent: no agent is running here", file=sys.stderr)
        return 1
    print(json.dumps(state, ensure_ascii=False))
    return 0 if state["heartbeat"]["ok"] else 2


def forget_pins(options: argparse.Namespace) -> int:
    """After an administrator has unlocked a card: count its wrong PINs from nought again."""
    given = settings.read(options)
    PinCounter(given.state_dir / "pins.json", given.pin_tries).clear(options.serial)
    return 0


_COMMANDS = {"enrol": enrol, "run": run, "status": status, "forget-pins": forget_pins}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="card_agent", description="The program beside the card reader.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, function in _COMMANDS.items():
        command = commands.add_parser(name, help=function.__doc__, description=function.__doc__)
        settings.add_arguments(command)
        if name == "enrol":
            code = os.environ.get(f"{settings.PREFIX}CODE")
            command.add_argument("--code", default=code, required=code is None, help="one-time; - reads it")
            command.add_argument("--root", default="", help="PEM of the root to pin, brought by hand")
        if name == "forget-pins":
            command.add_argument("serial")
    return parser


def _log_to_stderr() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # one line a request would say nothing and never end
    logging.getLogger("httpx").setLevel(logging.WARNING)


if __name__ == "__main__":
    sys.exit(main())
