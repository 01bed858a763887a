"""What the commands of signing make true. Pure."""

from datetime import datetime

from app.fact import Fact, LogClass


class DocumentUploaded(
    Fact,
    name="document.uploaded",
    zh="上传待盖章文件",
    en="Document uploaded for sealing",
    log_class=LogClass.SEALING,
):
    document_id: int
    document_digest: str
    file_name: str
    pages: int
    user_id: int
    unit_id: int | None


class SealingOrdered(
    Fact,
    name="document.sealing_ordered",
    zh="发起盖章",
    en="Sealing of a document ordered",
    log_class=LogClass.SEALING,
):
    """`because`: what the one decision point said (A22)."""

    sealing_id: int
    job_id: int
    seal_id: int
    card_serial: str
    document_digest: str
    file_name: str
    page: int
    x_pt: float
    y_pt: float
    station_id: int
    user_id: int
    unit_id: int | None
    because: str


class SealingCancelled(
    Fact,
    name="document.sealing_cancelled",
    zh="取消盖章",
    en="Sealing of a document cancelled",
    log_class=LogClass.SEALING,
):
    sealing_id: int
    job_id: int
    seal_id: int
    card_serial: str
    user_id: int


class DocumentSealed(
    Fact, name="document.sealed", zh="签章", en="Document sealed", log_class=LogClass.SEALING
):
    """Names the person **and** the card (A18), the file and the computer (A24). `host`, `mac`: as the station
    reported them under its signature. `signature_id`: names this signature for the register of withdrawals."""

    sealing_id: int
    seal_id: int
    es_id: str
    seal_name: str
    user_id: int
    user_name: str
    card_serial: str
    document_digest: str
    sealed_digest: str
    file_name: str
    signature_id: str
    station_id: int
    host: str
    mac: str
    ip: str | None
    unit_id: int | None


class DocumentVerified(
    Fact, name="document.verified", zh="验章", en="Document verified", log_class=LogClass.VERIFICATION
):
    """`problems`: their codes. Nobody need log in for it, so `user_id` may be None."""

    document_digest: str
    file_name: str
    verdict: str
    signers: list[str]
    problems: list[str]
    user_id: int | None


class SealWithdrawn(
    Fact,
    name="document.seal_withdrawn",
    zh="撤章",
    en="Seal on a document withdrawn",
    log_class=LogClass.WITHDRAWAL,
):
    """From `at` on every verification that asks the register says withdrawn (D5)."""

    signature_id: str
    seal_id: int
    sealing_id: int
    card_serial: str
    document_digest: str
    sealed_digest: str
    file_name: str
    reason: str
    at: datetime
    user_id: int
    unit_id: int | None


class DocumentTaken(
    Fact,
    name="document.taken",
    zh="取走盖章文件",
    en="Sealed document taken",
    log_class=LogClass.SEALING,
):
    """From now on it counts as sent (D5)."""

    sealed_digests: list[str]
    file_name: str
    user_id: int


class WithdrawalAsked(
    Fact,
    name="document.withdrawal_asked",
    zh="申请撤章",
    en="Withdrawal asked for",
    log_class=LogClass.WITHDRAWAL,
):
    """`sent`: whether the document was taken, or another seal follows."""

    withdrawal_id: int
    signature_id: str
    seal_id: int
    sealing_id: int
    card_serial: str
    document_digest: str
    sealed_digest: str
    file_name: str
    reason: str
    sent: bool
    user_id: int
    unit_id: int | None
    instance_id: int


class WithdrawalAgreed(
    Fact,
    name="document.withdrawal_agreed",
    zh="同意撤章",
    en="Withdrawal agreed",
    log_class=LogClass.WITHDRAWAL,
):
    withdrawal_id: int
    seal_id: int
    sealed_digest: str
    file_name: str
    unit_id: int | None


class WithdrawalRefused(
    Fact,
    name="document.withdrawal_refused",
    zh="不同意撤章",
    en="Withdrawal refused",
    log_class=LogClass.WITHDRAWAL,
):
    withdrawal_id: int
    seal_id: int
    sealed_digest: str
    file_name: str
    unit_id: int | None
    reason: str
