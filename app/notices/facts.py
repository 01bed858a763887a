"""What notices make true. Pure."""

from app.fact import Fact, LogClass


class NoticesRead(Fact, name="notice.read", zh="通知已读", en="Notices read", log_class=LogClass.APPROVAL):
    count: int
    """How many; one's own only."""


class NoticeUnread(
    Fact, name="notice.unread", zh="通知标为未读", en="Notice marked unread", log_class=LogClass.APPROVAL
):
    notice_id: int
