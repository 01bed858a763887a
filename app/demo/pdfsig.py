"""Ask poppler's `pdfsig`: a verifier that we did not write, with our root as the only one it trusts."""

import re
import shutil
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Pdfsig:
    """What it said of the last signature. `total`: the whole document is covered."""

    signatures: int
    signer: str
    valid: bool
    trusted: bool
    total: bool

    @property
    def good(self) -> bool:
        """pdfsig calls a file with content added afterwards valid, so coverage counts too."""
        return self.signatures > 0 and self.valid and self.trusted and self.total

    @property
    def summary(self) -> str:
        if not self.signatures:
            return "no signature"
        said = ["valid" if self.valid else "NOT valid", "trusted" if self.trusted else "NOT trusted"]
        said.append("total document" if self.total else "NOT the total document")
        return f"{', '.join(said)} ({self.signer})"

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "good": self.good}


def pdfsig(file: Path, trust_dir: Path, nss_dir: Path) -> Pdfsig:
    """`trust_dir`: PEM roots; `nss_dir`: made anew for this question. Raises when a tool is missing."""
    shutil.rmtree(nss_dir, ignore_errors=True)
    nss_dir.mkdir(parents=True)
    _run("certutil", "-N", "-d", f"sql:{nss_dir}", "--empty-password")
    for number, root in enumerate(sorted(trust_dir.glob("*.pem"))):
        _run("certutil", "-A", "-d", f"sql:{nss_dir}", "-n", f"root-{number}", "-t", "C,C,C", "-i", str(root))
    answer = subprocess.run(  # noqa: S603
        [_program("pdfsig"), "-nssdir", f"sql:{nss_dir}", str(file)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
    )
    return parse(answer.stdout)


def parse(text: str) -> Pdfsig:
    """pdfsig's words about the last signature of a file."""
    parts = re.split(r"^Signature #\d+:", text, flags=re.MULTILINE)
    last = parts[-1] if len(parts) > 1 else ""
    name = re.search(r"Signer Certificate Common Name: (.*)", last)
    return Pdfsig(
        signatures=len(parts) - 1,
        signer=name.group(1).strip() if name else "",
        valid="Signature Validation: Signature is Valid." in last,
        trusted="Certificate Validation: Certificate is Trusted." in last,
        total="Total document signed" in last and "Not total document signed" not in last,
    )


def _run(program: str, *arguments: str) -> None:
    subprocess.run([_program(program), *arguments], check=True, capture_output=True, timeout=60)  # noqa: S603


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise FileNotFoundError(f"{name} is not installed; run `make setup`")
    return found
