"""Asking the outside world over HTTP without being led anywhere: the one way for addresses that somebody wrote down.

The name is looked up once, all that it stands for is checked, and the connection goes to that very address: what the
name stands for a moment later (DNS rebinding) does not matter. Where an answer leads elsewhere, that address is checked
in the same way. Size and time are bounded; at the deadline the line is cut.
"""

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable
from urllib.parse import SplitResult, urljoin, urlsplit

Resolve = Callable[[str, int], list[str]]
LONGEST_ADDRESS = 1000
REDIRECTIONS = 2


class Unreachable(Exception):
    """No answer, or none in time: it may be better later."""


class NotAllowed(Exception):
    """An address that may not be asked, or an answer that may not be taken."""


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


def address_of(parts: SplitResult, look_up: Resolve, *, private_allowed: bool) -> tuple[str, int]:
    """Where to connect, and on which port. Raises `Unreachable` when the name is not found, `NotAllowed` when any of
    its addresses is not public."""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = look_up(parts.hostname or "", port)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"the name is not found: {error}") from error
    if not found:
        raise Unreachable("the name has no address")
    if not private_allowed and not all(is_public(address) for address in found):
        raise NotAllowed("the address is not public, and private addresses are not allowed here")
    return found[0], port


def fetch(
    url: str,
    *,
    limit_bytes: int,
    seconds: float,
    private_allowed: bool,
    body: bytes | None = None,
    content_type: str = "",
    look_up: Resolve | None = None,
) -> bytes:
    """What stands there: GET, or POST of `body`. Raises `Unreachable` or `NotAllowed`."""
    for _ in range(1 + REDIRECTIONS):
        parts = _parts(url)
        address, port = address_of(parts, look_up or resolve, private_allowed=private_allowed)
        status, led_to, data = _ask(
            parts, Line(parts, address, port, seconds), body, content_type, limit_bytes
        )
        if status == 200:
            return data
        if status not in (301, 302, 303, 307, 308) or not led_to or body is not None:
            kind = Unreachable if status >= 500 or status in (408, 425, 429) else NotAllowed
            raise kind(f"it answered {status}")
        url = urljoin(url, led_to)
    raise NotAllowed("it leads on and on")


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise NotAllowed(f"no address: {error}") from error
    plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= LONGEST_ADDRESS
    if not plain or parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise NotAllowed("the address must begin with http:// or https:// and hold no name or password")
    return parts


def _ask(
    parts: SplitResult, line: "Line", body: bytes | None, content_type: str, limit_bytes: int
) -> tuple[int, str, bytes]:
    """Status, where it leads, and the content of an answer that is good."""
    headers = {"User-Agent": "Yinxu/1", "Connection": "close"}
    if content_type:
        headers["Content-Type"] = content_type
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    with line:
        try:
            line.request("GET" if body is None else "POST", path, body, headers)
            answer = line.getresponse()
            data = answer.read(limit_bytes + 1) if answer.status == 200 else b""
            if line.was_cut:
                raise TimeoutError("too slow")
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unreachable(f"no answer: {type(error).__name__} {error}"[:300]) from error
    if len(data) > limit_bytes:
        raise NotAllowed(f"it is larger than {limit_bytes} bytes")
    return answer.status, answer.getheader("Location", ""), data


class Line(http.client.HTTPConnection):
    """A connection to the checked address in the name of the host; as a context it is cut after `seconds`."""

    def __init__(self, parts: SplitResult, address: str, port: int, seconds: float) -> None:
        super().__init__(parts.hostname or "", port, timeout=seconds)
        self.default_port = 443 if parts.scheme == "https" else 80
        self._address, self._secure = address, parts.scheme == "https"
        self._line: socket.socket | None = None
        self.was_cut = False
        self._watch = threading.Timer(seconds, self._cut)
        self._watch.daemon = True

    def __enter__(self) -> "Line":
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._watch.cancel()
        self.close()

    def connect(self) -> None:
        self._line = socket.create_connection((self._address, self.port), self.timeout)
        if self._secure:
            context = ssl.create_default_context()
            # the handshake by itself, on a line that the watch knows
            line = context.wrap_socket(self._line, server_hostname=self.host, do_handshake_on_connect=False)
            self._line = line
            line.do_handshake()
        self.sock = self._line

    def _cut(self) -> None:
        """From the watch's thread: whoever reads or writes there stops."""
        self.was_cut = True
        if self._line is not None:
            try:
                self._line.shutdown(socket.SHUT_RDWR)
            except OSError:
                return
