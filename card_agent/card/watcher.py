"""Watches the readers from a process of its own and says which cards are in: one JSON line whenever that
changes.

    python -m card_agent.card.watcher MODULE [INTERVAL_S]

SoftHSM (and some vendors' libraries) see a new card only after C_Initialize, which no process that holds
sessions may repeat; so this one holds none. It ends with its parent: when its standard output is closed, or
the parent is gone.
"""

import os
import sys
import time
from pathlib import Path
from typing import Any

import pkcs11

from card_agent.card.session import list_cards
from card_agent.protocol.codec import encode
from card_agent.protocol.jobs import Heartbeat


def watch(module: Path, interval_s: float) -> None:
    """Runs until the parent is gone. A line is a Heartbeat message without host and MAC."""
    library: Any = pkcs11.lib(str(module))
    parent, last = os.getppid(), None
    while os.getppid() == parent:
        library.reinitialize()
        line = encode(Heartbeat(cards=tuple(list_cards(library)), host="", mac="", agent_version=""))
        if line != last:
            sys.stdout.buffer.write(line + b"\n")
            sys.stdout.buffer.flush()
            last = line
        time.sleep(interval_s)


def main() -> None:
    try:
        watch(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 0.2)
    except (BrokenPipeError, KeyboardInterrupt):
        os._exit(0)  # nobody listens any more; closing stdout would complain


if __name__ == "__main__":
    main()
