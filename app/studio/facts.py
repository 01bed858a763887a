"""What the studio makes true. Pure."""

from datetime import datetime

from app.fact import Fact, LogClass


class DraftStarted(
    Fact,
    name="studio.draft_started",
    zh="新建流程草稿",
    en="Draft started",
    log_class=LogClass.FLOW_PUBLISHING,
):
    draft_id: int
    key: str
    base_version: int | None


class DraftSaved(
    Fact, name="studio.draft_saved", zh="保存流程草稿", en="Draft saved", log_class=LogClass.FLOW_PUBLISHING
):
    draft_id: int
    key: str
    revision: int
    changed: list[str]
    """`diagram`, and the names of the tables and forms that were given."""


class DraftDiscarded(
    Fact,
    name="studio.draft_discarded",
    zh="放弃流程草稿",
    en="Draft discarded",
    log_class=LogClass.FLOW_PUBLISHING,
):
    draft_id: int
    key: str


class PublishingProposed(
    Fact,
    name="studio.publishing_proposed",
    zh="提请发布流程",
    en="Publishing proposed",
    log_class=LogClass.FLOW_PUBLISHING,
):
    draft_id: int
    key: str
    revision: int
    note: str
    effective_from: datetime | None


class ProposalDeclined(
    Fact,
    name="studio.proposal_declined",
    zh="不同意发布流程",
    en="Publishing declined",
    log_class=LogClass.FLOW_PUBLISHING,
):
    draft_id: int
    key: str
    revision: int
    reason: str


class FlowPublished(
    Fact, name="studio.published", zh="发布流程", en="Flow published", log_class=LogClass.FLOW_PUBLISHING
):
    draft_id: int
    key: str
    version: int
    definition_sha256: str
    effective_from: datetime | None
    """None: at once."""
    note: str
    proposed_by_id: int | None
    """Who proposed what another person has agreed to; None where nobody else had to agree."""
    also: list[str]
    """`key vN sha256` of the versions that its callers got of the same texts."""


class VersionCalledOff(
    Fact,
    name="studio.version_called_off",
    zh="撤销尚未生效的版本",
    en="Version called off before it was in force",
    log_class=LogClass.FLOW_PUBLISHING,
):
    key: str
    version: int
    effective_from: datetime
    reason: str
