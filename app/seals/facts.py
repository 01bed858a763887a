"""What the commands of seals make true. Pure."""

from datetime import datetime

from app.fact import Fact, LogClass


class MakingOrdered(
    Fact,
    name="seal.making_ordered",
    zh="下达制章任务",
    en="Making of a seal ordered",
    log_class=LogClass.SEAL_MANAGEMENT,
):
    job_id: int
    impression_id: int
    application_id: int | None
    card_serial: str
    station_id: int
    unit_id: int | None


class SealMade(Fact, name="seal.made", zh="制成电子印章", en="Seal made", log_class=LogClass.SEAL_MANAGEMENT):
    seal_id: int
    es_id: str
    job_id: int
    impression_id: int
    card_serial: str
    maker_serial: str
    seal_sha256: str
    unit_id: int | None


class SealIssued(
    Fact, name="seal.issued", zh="发放电子印章", en="Seal issued", log_class=LogClass.SEAL_MANAGEMENT
):
    """The collector gains no right to use the seal (A16)."""

    seal_id: int
    card_serial: str
    collector_name: str
    collector_document: str
    on_behalf_of: str
    collected_at: datetime
    unit_id: int | None


class SealReturned(
    Fact, name="seal.returned", zh="印章交回", en="Seal returned", log_class=LogClass.SEAL_MANAGEMENT
):
    """It lies with the seal office, and nobody uses it until it is handed out again."""

    seal_id: int
    card_serial: str
    collector_name: str
    reason: str
    unit_id: int | None


class SealFiled(
    Fact, name="seal.filed", zh="电子印章备案", en="Seal filed", log_class=LogClass.SEAL_MANAGEMENT
):
    """`number`: the authority's for this seal (D1)."""

    seal_id: int
    unit_id: int | None
    card_serial: str
    number: str
    authority: str


class UseByRequest(
    Fact,
    name="seal.use_by_request",
    zh="设置用印须申请",
    en="Asking before each use switched",
    log_class=LogClass.SEAL_AUTHORIZATION,
):
    """`on`: from now on each use is asked for first (A22)."""

    seal_id: int
    unit_id: int | None
    on: bool


class SealAuthorized(
    Fact,
    name="seal.authorized",
    zh="印章授权",
    en="Seal authorised",
    log_class=LogClass.SEAL_AUTHORIZATION,
):
    """`user_id`, or `role` held for `unit_id`."""

    seal_id: int
    grant_id: int
    user_id: int | None
    role: str | None
    unit_id: int | None
    functions: list[str]
    valid_from: datetime
    valid_until: datetime | None
    document_digest: str | None = None
    document_classes: list[str] | None = None
    uses_allowed: int | None = None
    because: str


class GrantWithdrawn(
    Fact,
    name="seal.grant_withdrawn",
    zh="收回印章授权",
    en="Authorisation withdrawn",
    log_class=LogClass.SEAL_AUTHORIZATION,
):
    seal_id: int
    grant_id: int
    user_id: int | None
    role: str | None
    unit_id: int | None
    reason: str


class SealSuspended(
    Fact, name="seal.suspended", zh="停用电子印章", en="Seal suspended", log_class=LogClass.SEAL_MANAGEMENT
):
    seal_id: int
    unit_id: int | None
    reason: str


class SealResumed(
    Fact, name="seal.resumed", zh="启用电子印章", en="Seal resumed", log_class=LogClass.SEAL_MANAGEMENT
):
    seal_id: int
    unit_id: int | None
    reason: str


class SealCancelled(
    Fact, name="seal.cancelled", zh="注销电子印章", en="Seal cancelled", log_class=LogClass.SEAL_MANAGEMENT
):
    seal_id: int
    unit_id: int | None
    reason: str


class SealExported(
    Fact,
    name="seal.exported",
    zh="导出印章结构",
    en="Seal's structure exported",
    log_class=LogClass.SEAL_MANAGEMENT,
):
    """`seal_sha256`: of the very bytes that were handed out."""

    seal_id: int
    es_id: str
    card_serial: str
    seal_sha256: str
    unit_id: int | None


class SealsFollowedImpression(
    Fact,
    name="seal.followed_impression",
    zh="随印模变更处理电子印章",
    en="Seals followed their impression",
    log_class=LogClass.SEAL_MANAGEMENT,
):
    """`done`: suspend or cancel; each of `seal_ids` has an entry of its own besides (D4)."""

    change_id: int
    impression_id: int
    done: str
    seal_ids: list[int]
    reason: str


class RemakingAsked(
    Fact,
    name="seal.remaking_asked",
    zh="申请重新制章",
    en="Remaking asked for",
    log_class=LogClass.SEAL_MANAGEMENT,
):
    """`cause`: lost (补办), expiring (换发), damaged."""

    remaking_id: int
    seal_id: int
    card_serial: str
    unit_id: int | None
    cause: str
    reason: str
    instance_id: int


class RemakingAgreed(
    Fact,
    name="seal.remaking_agreed",
    zh="同意重新制章",
    en="Remaking agreed",
    log_class=LogClass.SEAL_MANAGEMENT,
):
    remaking_id: int
    seal_id: int
    unit_id: int | None


class RemakingRefused(
    Fact,
    name="seal.remaking_refused",
    zh="不再重新制章",
    en="Remaking refused",
    log_class=LogClass.SEAL_MANAGEMENT,
):
    remaking_id: int
    seal_id: int
    unit_id: int | None
    reason: str


class SealReplaced(
    Fact,
    name="seal.replaced",
    zh="旧印章注销，由新印章接替",
    en="Seal cancelled in favour of its new one",
    log_class=LogClass.SEAL_MANAGEMENT,
):
    remaking_id: int
    seal_id: int
    new_seal_id: int
    card_serial: str
    unit_id: int | None
    cause: str


class SealChangeAsked(
    Fact,
    name="seal.change_asked",
    zh="申请变更印章状态",
    en="Change of a seal asked for",
    log_class=LogClass.SEAL_MANAGEMENT,
):
    """`verb`: suspend, resume, cancel."""

    change_id: int
    seal_id: int
    unit_id: int | None
    verb: str
    reason: str
    instance_id: int


class SealChangeAgreed(
    Fact,
    name="seal.change_agreed",
    zh="同意变更印章状态",
    en="Change of a seal agreed",
    log_class=LogClass.SEAL_MANAGEMENT,
):
    change_id: int
    seal_id: int
    unit_id: int | None
    verb: str


class SealChangeRefused(
    Fact,
    name="seal.change_refused",
    zh="不同意变更印章状态",
    en="Change of a seal refused",
    log_class=LogClass.SEAL_MANAGEMENT,
):
    change_id: int
    seal_id: int
    unit_id: int | None
    verb: str
    reason: str


class CardLoginAsked(
    Fact,
    name="person.card_login_asked",
    zh="请求用印章卡登录",
    en="Login by card asked for",
    log_class=LogClass.LOGIN,
):
    """Somebody at this address says that they are this person; nothing is proved yet."""

    login_id: int
    user_id: int
    card_serial: str
    station_id: int
    job_id: int


class CardLoginEnded(
    Fact,
    name="person.card_login_ended",
    zh="印章卡登录请求失效",
    en="Login by card over",
    log_class=LogClass.LOGIN,
):
    """Its time is over, and nobody proved it."""

    login_id: int
    user_id: int
    card_serial: str
