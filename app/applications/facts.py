"""What the commands of applications make true. Pure."""

from app.fact import Fact, LogClass

_APPROVAL = LogClass.APPROVAL


class ScanUploaded(Fact, name="scan.uploaded", zh="上传印模扫描件", en="Scan uploaded", log_class=_APPROVAL):
    """`reference`: of the sealed upload in the object store; only this person can use it."""

    reference: str
    file_name: str
    bytes: int


class ApplicationSubmitted(
    Fact, name="application.submitted", zh="提交申请", en="Application submitted", log_class=_APPROVAL
):
    application_id: int
    number: str
    kind: str
    seal_name: str
    unit_id: int
    instance_id: int


class ApplicationCorrected(
    Fact, name="application.corrected", zh="补正申请", en="Application corrected", log_class=_APPROVAL
):
    application_id: int
    number: str
    unit_id: int
    revision: int


class ApplicationSentBack(
    Fact, name="application.sent_back", zh="退回申请", en="Application sent back", log_class=_APPROVAL
):
    application_id: int
    number: str
    unit_id: int
    reason: str


class ApplicationApproved(
    Fact, name="application.approved", zh="批准申请", en="Application approved", log_class=_APPROVAL
):
    application_id: int
    number: str
    unit_id: int


class ApplicationCancelled(
    Fact, name="application.cancelled", zh="撤销申请", en="Application cancelled", log_class=_APPROVAL
):
    application_id: int
    number: str
    unit_id: int
    status: str
    """`cancelled`; or `approved`, where the approval stays and only what was to follow is called off."""
    reason: str


class ApplicationPictureViewed(
    Fact,
    name="application.picture_viewed",
    zh="查看申请印模",
    en="Application's picture viewed",
    log_class=_APPROVAL,
):
    """`part`: `scan` or `impression`."""

    application_id: int
    number: str
    unit_id: int
    part: str
