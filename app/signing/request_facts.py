"""What asking for the use of a seal makes true (A22). Pure."""

from datetime import datetime

from app.fact import Fact, LogClass


class UseAsked(
    Fact, name="use.asked", zh="申请用印", en="Use of a seal asked for", log_class=LogClass.SEAL_AUTHORIZATION
):
    """`presser`: self or keeper. One for each seal."""

    request_id: int
    seal_id: int
    card_serial: str
    document_id: int
    document_digest: str
    file_name: str
    document_class: str
    purpose: str
    uses: int
    presser: str
    user_id: int
    unit_id: int | None
    instance_id: int | None


class UsesAsked(
    Fact,
    name="use.asked_together",
    zh="提交用印申请",
    en="Request handed in",
    log_class=LogClass.SEAL_AUTHORIZATION,
):
    """One document with the requests for each seal."""

    document_id: int
    document_digest: str
    file_name: str
    request_ids: list[int]
    user_id: int


class UseAgreed(
    Fact,
    name="use.agreed",
    zh="批准用印",
    en="Use of a seal agreed to",
    log_class=LogClass.SEAL_AUTHORIZATION,
):
    request_id: int
    seal_id: int
    document_digest: str
    file_name: str
    grant_id: int
    valid_until: datetime
    unit_id: int | None


class UseEnded(
    Fact,
    name="use.ended",
    zh="用印申请办结",
    en="Request for a use ended",
    log_class=LogClass.SEAL_AUTHORIZATION,
):
    """`state`: used, refused, cancelled, expired."""

    request_id: int
    seal_id: int
    document_digest: str
    file_name: str
    state: str
    reason: str
    unit_id: int | None
