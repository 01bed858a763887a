"""A simulated card station: readers are a folder, inserting and pulling a card is a rename.

SoftHSM knows no readers (its issue 370), but reads its folder of tokens anew at C_Initialize. So cards lie in
a drawer, and one that is moved into the station's folder is in a reader. Symbolic links are ignored by
SoftHSM.
"""

from dataclasses import dataclass
from pathlib import Path

from app.crypto.softhsm import keep_tokens
from app.demo.ca import softhsm_conf


@dataclass(frozen=True)
class InDrawer:
    """A card that lies in the drawer. `token`: its folder's name."""

    label: str
    role: str
    serial: str
    token: str


@dataclass(frozen=True)
class SimulatedStation:
    """`drawer` and `tokens` must lie in one file system. The agent is started with SOFTHSM2_CONF = `conf`."""

    drawer: Path
    tokens: Path

    @property
    def conf(self) -> Path:
        return softhsm_conf(self.tokens)

    def insert(self, token: str) -> None:
        """`token`: the card's folder name (`MadeCard.token`). Nothing happens when it is in already."""
        self._move(token, self.drawer, self.tokens)
        self.mend()

    def pull(self, token: str) -> None:
        """As a hand does it: at any moment, also while the card is written to."""
        self._move(token, self.tokens, self.drawer)

    def mend(self) -> list[str]:
        """What a real card does by itself: outlive a login that was cut off. The cards that SoftHSM had lost."""
        return keep_tokens(self.tokens)

    def inserted(self) -> list[str]:
        return sorted(p.name for p in self.tokens.iterdir() if p.is_dir()) if self.tokens.exists() else []

    @staticmethod
    def _move(token: str, source: Path, target: Path) -> None:
        target.mkdir(parents=True, exist_ok=True, mode=0o700)
        if (source / token).exists():
            (source / token).rename(target / token)
        elif not (target / token).exists():
            raise LookupError(f"no card {token} in {source} or {target}")
