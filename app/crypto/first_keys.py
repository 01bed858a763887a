"""The server's first keys: its token, and every key that it lacks. `yinxu keys init` and the demo call it."""

import secrets
from pathlib import Path

from app.crypto.keys import PURPOSES, backend_of, ring_of
from app.crypto.token_keys import TokenKeys
from app.settings import Settings


def make_missing(settings: Settings, so_pin_file: Path | None = None) -> tuple[list[str], str]:
    """The token and every key that it lacks. Gives what was made, and the backend's name."""
    made = [f"token {settings.server_token_label}"] if make_token(settings, so_pin_file) else []
    ring = ring_of(settings)
    for purpose in PURPOSES:
        if not ring.versions(purpose):
            ring.make(purpose, 1)
            made.append(f"{purpose}-v1")
    return made, ring.backend.name


def make_token(settings: Settings, so_pin_file: Path | None = None) -> bool:
    """An empty token, unless it is there; whether it was made."""
    backend = backend_of(settings)
    if not isinstance(backend, TokenKeys) or backend.exists():
        return False
    so_pin = secrets.token_hex(16)
    backend.create_token(so_pin)
    assert settings.softhsm2_conf is not None
    _keep(so_pin_file or settings.softhsm2_conf.parent / "so-pin", so_pin)
    return True


def _keep(path: Path, so_pin: str) -> None:
    """The security officer's PIN of the token: readable by its owner only, to be moved to a safe."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(so_pin + "\n")
