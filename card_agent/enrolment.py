"""A station's first word to the server: a one-time code against an identity; what it pins then, it keeps."""

from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from card_agent import machine
from card_agent.fault import CannotStart, Untrusted
from card_agent.link import Link
from card_agent.protocol.codec import Malformed, decode, encode
from card_agent.protocol.jobs import Enrol, Enrolled
from card_agent.protocol.names import PROTOCOL
from card_agent.settings import Settings
from card_agent.station_key import StationKey, write_private
from card_agent.trust import Trust
from card_agent.version import VERSION

KEY_FILE = "station.key"
STATION_FILE = "station.json"


class NotEnrolled(CannotStart):
    """There is no station identity in the state folder."""


@dataclass(frozen=True, kw_only=True)
class Station:
    """Who we are for which server, and the roots (DER) pinned for its orders."""

    server: str
    station_id: int
    station_name: str
    roots: tuple[bytes, ...] = field(repr=False)


def enrol(settings: Settings, code: str, roots: tuple[bytes, ...] = ()) -> Station:
    """Redeems the code with a fresh key. `roots`: DER, brought by hand; else those the server names are
    pinned, as far as TLS vouches for it. Refuses with Untrusted when the server's own certificate does not
    descend from them."""
    prepare_folder(settings.state_dir)
    key = StationKey.create(settings.state_dir / KEY_FILE)
    link = Link(settings.server, key, ca_file=settings.ca_file)
    try:
        answer = link.post(
            "/agent/v1/enrol",
            Enrol(
                code=code,
                public_key=key.public_key,
                host=machine.host(),
                mac=machine.mac(),
                agent_version=VERSION,
            ),
            Enrolled,
        )
    finally:
        link.close()
    if answer.protocol != PROTOCOL:
        raise Untrusted(f"protocol {answer.protocol}")
    pinned = roots or answer.roots
    Trust(pinned).check_certificate(answer.server_order_certificate)
    station = Station(
        server=settings.server,
        station_id=answer.station_id,
        station_name=answer.station_name,
        roots=pinned,
    )
    write_private(settings.state_dir / STATION_FILE, encode(station))
    return station


def load(state_dir: Path) -> tuple[Station, StationKey]:
    """Refuses with NotEnrolled when `enrol` has not been done here."""
    try:
        station = decode(Station, (state_dir / STATION_FILE).read_bytes())
        return station, StationKey.load(state_dir / KEY_FILE)
    except (FileNotFoundError, Malformed, ValueError) as error:
        raise NotEnrolled(
            f"no station in {state_dir}: run `python -m card_agent enrol --server … --code …` first"
        ) from error


def prepare_folder(state_dir: Path) -> None:
    state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    state_dir.chmod(0o700)


def root_file(path: Path) -> tuple[bytes, ...]:
    """The certificates of a PEM file, DER."""
    return tuple(c.public_bytes(Encoding.DER) for c in x509.load_pem_x509_certificates(path.read_bytes()))
