"""What the commands of cards make true. Pure."""

from dataclasses import field
from datetime import datetime
from typing import Any

from app.fact import Fact, LogClass


class StationEnrolled(
    Fact,
    name="station.enrolled",
    zh="登记制章工位",
    en="Card station enrolled",
    log_class=LogClass.CONFIGURATION,
):
    station_id: int
    station_name: str
    unit_id: int
    code_expires_at: datetime
    code: str = field(repr=False)

    def payload(self) -> dict[str, Any]:
        """The code goes to the administrator, never into the log."""
        return {k: v for k, v in Fact.payload(self).items() if k != "code"}


class StationCodeRedeemed(
    Fact,
    name="station.code_redeemed",
    zh="工位程序完成登记",
    en="Card station connected",
    log_class=LogClass.CONFIGURATION,
):
    station_id: int
    unit_id: int
    host: str | None
    mac: str | None
    agent_version: str
    public_key_sha256: str


class StationRevoked(
    Fact,
    name="station.revoked",
    zh="停用制章工位",
    en="Card station revoked",
    log_class=LogClass.CONFIGURATION,
):
    station_id: int
    unit_id: int
    reason: str


class CardRegistered(
    Fact,
    name="card.registered",
    zh="登记卡",
    en="Card registered",
    log_class=LogClass.SEAL_MANAGEMENT,
):
    card_serial: str
    role: str
    keeping: str
    subject: str
    cert_sha256: str
    valid_until: datetime
    unit_id: int | None
    user_id: int | None


class CardLost(
    Fact, name="card.lost", zh="卡挂失", en="Card reported lost", log_class=LogClass.SEAL_MANAGEMENT
):
    """`since`: when it was last known to be in hand; None when nobody can say (D14)."""

    card_serial: str
    unit_id: int | None
    reason: str
    since: datetime | None = None


class CardMoved(
    Fact,
    name="card.moved",
    zh="卡状态变更",
    en="Card's standing changed",
    log_class=LogClass.SEAL_MANAGEMENT,
):
    """`before`, `after`: standings (`app/cards/standing.py`)."""

    card_serial: str
    unit_id: int | None
    before: str
    after: str
    reason: str


class MakerCardHandedOver(
    Fact,
    name="card.handed_over",
    zh="交接制章授权卡",
    en="Maker card handed over",
    log_class=LogClass.SEAL_MANAGEMENT,
):
    card_serial: str
    unit_id: int | None
    user_id: int
    previous_keeper_id: int | None


class CardJobOpened(
    Fact,
    name="card_job.opened",
    zh="下达卡任务",
    en="Card job opened",
    log_class=LogClass.SEAL_MANAGEMENT,
):
    job_id: int
    kind: str
    station_id: int
    card_serial: str
    unit_id: int | None


class CardJobBegun(
    Fact,
    name="card_job.begun",
    zh="卡任务开始",
    en="Card job begun",
    log_class=LogClass.SEAL_MANAGEMENT,
):
    job_id: int
    kind: str
    station_id: int
    card_serial: str
    maker_serial: str | None
    repeated: bool
    reply: object = field(repr=False)

    def payload(self) -> dict[str, Any]:
        """The reply is what the station gets; the log keeps the rest."""
        return {k: v for k, v in Fact.payload(self).items() if k != "reply"}


class CardJobAuthorised(
    Fact,
    name="card_job.authorised",
    zh="授权写卡",
    en="Card job authorised",
    log_class=LogClass.SEAL_AUTHORIZATION,
):
    job_id: int
    kind: str
    station_id: int
    card_serial: str
    repeated: bool
    reply: object = field(repr=False)

    def payload(self) -> dict[str, Any]:
        """The reply is what the station gets; the log keeps the rest."""
        return {k: v for k, v in Fact.payload(self).items() if k != "reply"}


class CardJobEnded(
    Fact,
    name="card_job.ended",
    zh="卡任务结束",
    en="Card job ended",
    log_class=LogClass.SEAL_MANAGEMENT,
):
    job_id: int
    kind: str
    station_id: int
    card_serial: str
    state: str
    reason: str | None


class AuthorityBelieved(
    Fact,
    name="trust.authority_believed",
    zh="导入受信任的 CA 证书",
    en="Certificate authority believed",
    log_class=LogClass.CONFIGURATION,
):
    """`fingerprint`: SHA-256 of the certificate, hex. `is_root`: it vouches for itself."""

    subject: str
    fingerprint: str
    is_root: bool
    valid_until: datetime


class UnlockAsked(
    Fact,
    name="card.unlock_asked",
    zh="申请解锁",
    en="Unlocking asked for",
    log_class=LogClass.SEAL_MANAGEMENT,
):
    unlock_id: int
    card_serial: str
    unit_id: int | None
    reason: str


class UnlockAgreed(
    Fact, name="card.unlock_agreed", zh="同意解锁", en="Unlocking agreed", log_class=LogClass.SEAL_MANAGEMENT
):
    unlock_id: int
    card_serial: str
    unit_id: int | None
    asked_by: str


class UnlockEnded(
    Fact, name="card.unlock_ended", zh="终止解锁", en="Unlocking ended", log_class=LogClass.SEAL_MANAGEMENT
):
    unlock_id: int
    card_serial: str
    unit_id: int | None
    state: str


class DestructionAsked(
    Fact,
    name="card.destruction_asked",
    zh="申请销毁卡",
    en="Destroying a card asked for",
    log_class=LogClass.SEAL_MANAGEMENT,
):
    destruction_id: int
    card_serial: str
    unit_id: int | None
    reason: str
    instance_id: int


class CardDestroyed(
    Fact,
    name="card.destroyed",
    zh="监销卡",
    en="Card destroyed before a witness",
    log_class=LogClass.SEAL_MANAGEMENT,
):
    """`before`: how it stood (`app/cards/standing.py`). `asked_by` and `witness` are two persons."""

    destruction_id: int
    card_serial: str
    unit_id: int | None
    before: str
    reason: str
    asked_by: str
    witness: str


class DestructionEnded(
    Fact,
    name="card.destruction_ended",
    zh="终止销毁卡",
    en="Destroying a card called off",
    log_class=LogClass.SEAL_MANAGEMENT,
):
    """`state`: refused by the witness, or cancelled."""

    destruction_id: int
    card_serial: str
    unit_id: int | None
    state: str
    reason: str
