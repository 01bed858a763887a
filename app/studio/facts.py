"""What the studio makes true. Pure."""

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
