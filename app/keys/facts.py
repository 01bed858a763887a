"""What is true once keys were split, made anew, tried or restored. Pure."""

from app.fact import Fact, LogClass


class KeyCeremonyHeld(
    Fact,
    name="keys.ceremony_held",
    zh="举行密钥分持仪式",
    en="Key ceremony held",
    log_class=LogClass.CONFIGURATION,
):
    """`share_set`: the number that all its shares bear. `needed`: how many custodians open the backup."""

    ceremony_id: int
    share_set: int
    needed: int
    custodians: list[str]


class KeyBackedUp(
    Fact, name="keys.backed_up", zh="备份主密钥", en="Master key backed up", log_class=LogClass.CONFIGURATION
):
    """`ceremony_id`: whose custodians open it; None when only its public half is kept."""

    key: str
    ceremony_id: int | None


class KeyRotated(
    Fact, name="keys.rotated", zh="轮换主密钥", en="Master key rotated", log_class=LogClass.CONFIGURATION
):
    """`rewrapped`: data keys now under the new key. `backed_up`: whether custodians could restore it."""

    key: str
    rewrapped: int
    backed_up: bool


class KeysRehearsed(
    Fact,
    name="keys.rehearsed",
    zh="演练主密钥恢复",
    en="Restoring of master keys rehearsed",
    log_class=LogClass.CONFIGURATION,
):
    """The shares with these numbers opened these keys; nothing was changed."""

    ceremony_id: int
    share_numbers: list[int]
    keys: list[str]


class KeysRestored(
    Fact,
    name="keys.restored",
    zh="恢复主密钥",
    en="Master keys restored",
    log_class=LogClass.CONFIGURATION,
):
    """`keys`: now in the token. `public_only`: lost; what they signed can be verified. `unopened`: how many of the
    `data_keys` in the database do not open with what is in the token now."""

    ceremony_id: int
    share_numbers: list[int]
    keys: list[str]
    public_only: list[str]
    data_keys: int
    unopened: int
