"""What is believed when a document is verified: a folder of roots, read for the press and for the seals.

The folder may hold what a CA gives out, PEM or DER, under any name: certificates are roots, those in
`intermediates/` help to build chains, revocation lists count wherever they lie (usually `crls/`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.crypto import certificates
from app.pdf.trusting import Trust, objects_in

FILE_LIMIT_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Believed:
    """The same trust twice: `press` for signatures in files, `seals` for electronic seals."""

    press: Trust
    seals: certificates.Trust


NOTHING = Believed(Trust(), certificates.trust_of(()))


def read_trust(folder: Path) -> Believed:
    """Read anew each time: replacing a list needs no restart. Files that are neither are passed over.

    Raises OSError when the folder cannot be read: trust is never guessed.
    """
    roots = [der for kind, der in _read(folder) if kind == "certificate"]
    intermediates = [der for kind, der in _read(folder / "intermediates") if kind == "certificate"]
    lists = [
        der
        for place in (folder, folder / "intermediates", folder / "crls")
        for kind, der in _read(place)
        if kind == "crl"
    ]
    return Believed(
        Trust(tuple(roots), tuple(intermediates), tuple(lists)),
        certificates.trust_of(roots, intermediates, lists, folder / "ocsp"),
    )


def _read(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Each certificate and list of the folder's files: its kind and its DER."""
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.stat().st_size <= FILE_LIMIT_BYTES:
            yield from ((kind, der) for kind, der in objects_in(path.read_bytes()) if _is_sound(kind, der))


def _is_sound(kind: str, der: bytes) -> bool:
    """Whether the other library reads it too: what only one of the two believes, neither shall."""
    try:
        certificates.trust_of(*(((der,), (), ()) if kind == "certificate" else ((), (), (der,))))
    except ValueError:
        return False
    return True
