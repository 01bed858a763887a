"""A webhook: one POST to an address that was checked, signed as Standard Webhooks says, and bounded in every way.

The name is looked up once, all that it stands for is checked, and the connection goes to that very address: what the
name stands for a moment later (DNS rebinding) does not matter. Nothing is followed: an answer that leads elsewhere is a
failure. Of what comes back only the status and the headers are read; at the deadline the line is cut.
"""

import base64
import hashlib
import hmac
import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable
from datetime import datetime
from urllib.parse import SplitResult

from app.notices import rules
from app.notices.outcome import Again, Never
from app.settings import Settings

Resolve = Callable[[str, int], list[str]]


def signature(key: bytes, ident: str, timestamp: int, body: bytes) -> str:
    """`v1,` and base64 of HMAC-SHA256 over id, timestamp and body. Pure."""
    told = f"{ident}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, told, hashlib.sha256)).decode()


def resolve(host: str, port: int) -> list[str]:
    """All addresses of a name."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Whether it lies in the open net; what wraps an IPv4 address (mapped, 6to4, NAT64, Teredo) does not. Pure."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        wraps = ip.ipv4_mapped or ip.sixtofour or ip.teredo or ip in _NAT64 or int(ip) >> 32 == 0
        if wraps:
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def checked_address(parts: SplitResult, settings: Settings, look_up: Resolve) -> tuple[str, int]:
    """Where to connect. Raises `Again` when the name is not found, `Never` when any of its addresses is not public."""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = look_up(parts.hostname or "", port)
    except OSError as error:
        raise Again(f"the name is not found: {error}") from error
    if not found:
        raise Again("the name has no address")
    if not settings.webhook_private_allowed and not all(is_public(address) for address in found):
        raise Never("the address is not public; webhooks to private addresses are not allowed here")
    return found[0], port


def call(
    url: str,
    ident: str,
    body: bytes,
    key: bytes,
    at: datetime,
    settings: Settings,
    look_up: Resolve | None = None,
) -> None:
    """POST it. Raises `Again` or `Never`."""
    parts = rules.parts_of(url, private_allowed=settings.webhook_private_allowed)
    if parts is None:
        raise Never("the address must begin with https:// and hold no name or password")
    address, port = checked_address(parts, settings, look_up or resolve)
    timestamp = int(at.timestamp())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Yinxu-Webhook/1",
        "Connection": "close",
        "Webhook-Id": ident,
        "Webhook-Timestamp": str(timestamp),
        "Webhook-Signature": signature(key, ident, timestamp, body),
    }
    connection = _To(parts, address, port, settings.webhook_timeout_s)
    watch = threading.Timer(settings.webhook_timeout_s, connection.cut)
    watch.daemon = True
    watch.start()
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, body, headers)
        status = connection.getresponse().status
        if connection.was_cut:
            raise TimeoutError
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Again(f"no answer: {type(error).__name__} {error}"[:300]) from error
    finally:
        watch.cancel()
        connection.close()
    if 200 <= status < 300:
        return
    if status in (408, 425, 429) or status >= 500:
        raise Again(f"it answered {status}")
    raise Never(f"it answered {status}" + ("; redirections are not followed" if 300 <= status < 400 else ""))


class _To(http.client.HTTPConnection):
    """A connection to the checked address in the name of the host."""

    def __init__(self, parts: SplitResult, address: str, port: int, timeout: float) -> None:
        default = 443 if parts.scheme == "https" else 80
        super().__init__(parts.hostname or "", port, timeout=timeout)
        self.default_port = default
        self._address, self._secure = address, parts.scheme == "https"
        self._line: socket.socket | None = None
        self.was_cut = False

    def connect(self) -> None:
        self._line = socket.create_connection((self._address, self.port), self.timeout)
        if self._secure:
            context = ssl.create_default_context()
            # the handshake by itself, on a line that the watch knows
            line = context.wrap_socket(self._line, server_hostname=self.host, do_handshake_on_connect=False)
            self._line = line
            line.do_handshake()
        self.sock = self._line

    def cut(self) -> None:
        """From the watch's thread: whoever reads or writes there stops."""
        self.was_cut = True
        if self._line is not None:
            try:
                self._line.shutdown(socket.SHUT_RDWR)
            except OSError:
                return
