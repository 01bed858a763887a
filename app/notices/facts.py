"""What notices make true. Pure."""

from app.fact import Fact, LogClass


class NoticesRead(Fact, name="notice.read", zh="通知已读", en="Notices read", log_class=LogClass.APPROVAL):
    count: int
    """How many; one's own only."""


class NoticeUnread(
    Fact, name="notice.unread", zh="通知标为未读", en="Notice marked unread", log_class=LogClass.APPROVAL
):
    notice_id: int


class NoticeWishesSet(
    Fact,
    name="notice.wishes_set",
    zh="更改通知设置",
    en="Notice settings changed",
    log_class=LogClass.CONFIGURATION,
):
    user_id: int
    language: str
    pace: str
    mail: str
    webhook_host: str
    """Without the rest of the address, which may hold a secret."""
    choices: dict[str, list[str]]


class WebhookSecretRenewed(
    Fact,
    name="notice.webhook_secret_renewed",
    zh="更换 Webhook 密钥",
    en="Webhook secret renewed",
    log_class=LogClass.CONFIGURATION,
):
    user_id: int
    number: int


class DeliveryRetried(
    Fact,
    name="notice.delivery_retried",
    zh="重新发送通知",
    en="Notice sent again",
    log_class=LogClass.CONFIGURATION,
):
    delivery_ids: list[int]


class TestMailSent(
    Fact,
    name="notice.test_mail_sent",
    zh="发送测试邮件",
    en="Test mail sent",
    log_class=LogClass.CONFIGURATION,
):
    to: str
    error: str
    """Empty when the server took it."""
