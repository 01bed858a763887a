"""What this computer says of itself: its name, and the address of a real network card (A24)."""

import socket
from pathlib import Path

UNKNOWN = "unknown"
_ETHERNET = "1"  # ARPHRD_ETHER; 772 is the loopback


def host() -> str:
    return socket.gethostname()[:255] or UNKNOWN


def mac(net: Path = Path("/sys/class/net")) -> str:
    """The MAC of the network card in use, lower case with colons; "unknown" when there is none.

    `uuid.getnode()` invents a number when it finds nothing, so the kernel is asked: an Ethernet device with
    hardware behind it, one that is up before one that is down, in the order of their names.
    """
    found = [
        (_read(device / "operstate") != "up", device.name, _read(device / "address").lower())
        for device in (sorted(net.iterdir()) if net.is_dir() else ())
        if (device / "device").exists() and _read(device / "type") == _ETHERNET
    ]
    addresses = [address for _, _, address in sorted(found) if address.replace(":", "").strip("0")]
    return addresses[0] if addresses else UNKNOWN


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
