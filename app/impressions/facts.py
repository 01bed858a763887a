"""What the commands of impressions make true. Pure."""

from datetime import datetime

from app.fact import Fact, LogClass

_MANAGEMENT = LogClass.SEAL_MANAGEMENT


class ImpressionRegistered(
    Fact, name="impression.registered", zh="导入印模", en="Impression registered", log_class=_MANAGEMENT
):
    """`displaced_id`: the impression of the same owner, kind and name that stopped being effective (A9)."""

    impression_id: int
    displaced_id: int | None
    unit_id: int | None
    owner_user_id: int | None
    kind: str
    impression_name: str
    width_mm: float
    height_mm: float
    digest: str


class ImpressionSuspended(
    Fact, name="impression.suspended", zh="停用印模", en="Impression suspended", log_class=_MANAGEMENT
):
    impression_id: int
    unit_id: int | None
    reason: str


class ImpressionResumed(
    Fact, name="impression.resumed", zh="启用印模", en="Impression resumed", log_class=_MANAGEMENT
):
    impression_id: int
    unit_id: int | None
    reason: str
    displaced_id: int | None


class ImpressionDestroyed(
    Fact, name="impression.destroyed", zh="销毁印模", en="Impression destroyed", log_class=_MANAGEMENT
):
    """`witness`: 监销人, who saw it happen (D3)."""

    impression_id: int
    unit_id: int | None
    reason: str
    witness: str


class ImpressionChangeAsked(
    Fact,
    name="impression.change_asked",
    zh="申请变更印模状态",
    en="Change of an impression asked for",
    log_class=_MANAGEMENT,
):
    """`verb`: suspend, resume, destroy. `seals`: what shall become of the seals made from it: keep, suspend, cancel."""

    change_id: int
    impression_id: int
    unit_id: int | None
    verb: str
    reason: str
    seals: str
    instance_id: int


class ImpressionChangeAgreed(
    Fact,
    name="impression.change_agreed",
    zh="同意变更印模状态",
    en="Change of an impression agreed",
    log_class=_MANAGEMENT,
):
    change_id: int
    impression_id: int
    unit_id: int | None
    verb: str


class ImpressionChangeRefused(
    Fact,
    name="impression.change_refused",
    zh="不同意变更印模状态",
    en="Change of an impression refused",
    log_class=_MANAGEMENT,
):
    change_id: int
    impression_id: int
    unit_id: int | None
    verb: str
    reason: str


class ImpressionViewed(
    Fact, name="impression.viewed", zh="查看印模", en="Impression viewed", log_class=_MANAGEMENT
):
    impression_id: int
    unit_id: int | None


class LibraryListed(
    Fact, name="impression.listed", zh="浏览印模库", en="Impression library listed", log_class=_MANAGEMENT
):
    """`impression_ids`: whose thumbnails were shown."""

    impression_ids: list[int]


class SampleOpeningAsked(
    Fact,
    name="impression.opening_asked",
    zh="申请开启封存样本",
    en="Opening of a sealed sample asked for",
    log_class=_MANAGEMENT,
):
    opening_id: int
    impression_id: int
    unit_id: int | None
    reason: str


class SampleOpened(
    Fact, name="impression.sample_opened", zh="开启封存样本", en="Sealed sample opened", log_class=_MANAGEMENT
):
    """By the second person; `asked_by`: the first (D3)."""

    opening_id: int
    impression_id: int
    unit_id: int | None
    reason: str
    asked_by: str
    open_until: datetime


class SampleViewed(
    Fact, name="impression.sample_viewed", zh="查看封存样本", en="Sealed sample viewed", log_class=_MANAGEMENT
):
    opening_id: int
    impression_id: int
    unit_id: int | None
    reason: str
