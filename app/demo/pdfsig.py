"""What poppler's `pdfsig` says of a sealed PDF: a second opinion by a program that shares nothing with ours.

Its exit code says little, so its answer is parsed, field by field; whatever it does not say is not taken for a
yes. It needs the trusted roots in an NSS database. (pdfsig calls a document with content added afterwards
still valid, only "not total document signed": both are asked.)
"""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

TIMEOUT_S = 60


class PdfsigMissing(RuntimeError):
    """`pdfsig` or `certutil` is not installed: apt-get install poppler-utils libnss3-tools."""


@dataclass(frozen=True, kw_only=True)
class PdfsigSignature:
    field: str
    signer: str
    hash_algorithm: str
    kind: str
    valid: bool
    trusted: bool
    total: bool


@dataclass(frozen=True, kw_only=True)
class PdfsigVerdict:
    """`said`: its words, for whoever doubts."""

    signatures: tuple[PdfsigSignature, ...]
    said: str

    @property
    def good(self) -> bool:
        """Every signature is valid under a trusted certificate, made with SHA-256, and the last covers all."""
        return (
            bool(self.signatures)
            and self.signatures[-1].total
            and all(s.valid and s.trusted and s.hash_algorithm == "SHA-256" for s in self.signatures)
        )

    @property
    def word(self) -> str:
        """One word for a report: genuine, or what is missing."""
        if self.good:
            return "genuine"
        if not self.signatures:
            return "unsigned"
        return "untrusted" if all(s.valid and s.total for s in self.signatures[-1:]) else "altered"


def trust_database(folder: Path, roots: list[Path]) -> Path:
    """An NSS database that trusts these PEM files and nothing else. Made anew."""
    certutil = _program("certutil")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _run(certutil, "-N", "-d", f"sql:{folder}", "--empty-password")
    for number, root in enumerate(roots):
        _run(
            certutil,
            "-A",
            "-d",
            f"sql:{folder}",
            "-n",
            f"root-{number}",
            "-t",
            "C,C,C",
            "-a",
            "-i",
            str(root),
        )
    return folder


def pdfsig_verdict(pdf: Path, nss_dir: Path) -> PdfsigVerdict:
    """Ask pdfsig about a file, trusting the roots of the NSS database alone."""
    said = _run(_program("pdfsig"), "-nssdir", f"sql:{nss_dir}", str(pdf), check=False)
    return PdfsigVerdict(signatures=tuple(_signature(part) for part in _parts(said)), said=said)


def _parts(said: str) -> list[str]:
    """The answer, one part a signature."""
    return re.split(r"^Signature #\d+:\s*$", said, flags=re.MULTILINE)[1:]


def _signature(part: str) -> PdfsigSignature:
    lines = [line.strip().removeprefix("- ") for line in part.splitlines()]
    said = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines) if value}
    return PdfsigSignature(
        field=said.get("Signature Field Name", ""),
        signer=said.get("Signer Certificate Common Name", ""),
        hash_algorithm=said.get("Signing Hash Algorithm", ""),
        kind=said.get("Signature Type", ""),
        valid=said.get("Signature Validation") == "Signature is Valid.",
        trusted=said.get("Certificate Validation") == "Certificate is Trusted.",
        total="Total document signed" in lines,
    )


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise PdfsigMissing(f"{name} is not installed: apt-get install poppler-utils libnss3-tools")
    return found


def _run(*words: str, check: bool = True) -> str:
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(  # noqa: S603 - fixed programs, no shell
        words,
        check=False,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=TIMEOUT_S,
        env=environment,
    )
    if check and done.returncode:
        raise RuntimeError(f"{words[0]}: {done.stderr.strip()}")
    return done.stdout
