"""A Fact: what a command made true. The log stores it, the diagram receives it, the test asserts it. Pure."""

import dataclasses
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, cast, dataclass_transform

from app.text import Text


class LogClass(StrEnum):
    """The classes of the log (A26): eight the text names, and those its 等 implies."""

    SEALING = "sealing"  # 签章
    WITHDRAWAL = "withdrawal"  # 撤章
    PRINTING = "printing"  # 打印
    VERIFICATION = "verification"  # 验章
    LOGIN = "login"  # 登录
    ILLEGAL_OPERATION = "illegal_operation"  # 非法操作
    SEAL_MANAGEMENT = "seal_management"  # 印章管理
    SEAL_AUTHORIZATION = "seal_authorization"  # 印章授权
    APPROVAL = "approval"  # 审批
    FLOW_PUBLISHING = "flow_publishing"  # 流程发布
    CONFIGURATION = "configuration"  # 配置
    LOG_READING = "log_reading"  # 日志查阅


LOG_CLASS_TEXT: dict[LogClass, Text] = {
    LogClass.SEALING: Text("签章", "Sealing"),
    LogClass.WITHDRAWAL: Text("撤章", "Withdrawal"),
    LogClass.PRINTING: Text("打印", "Printing"),
    LogClass.VERIFICATION: Text("验章", "Verification"),
    LogClass.LOGIN: Text("登录", "Login"),
    LogClass.ILLEGAL_OPERATION: Text("非法操作", "Illegal operation"),
    LogClass.SEAL_MANAGEMENT: Text("印章管理", "Seal management"),
    LogClass.SEAL_AUTHORIZATION: Text("印章授权", "Seal authorisation"),
    LogClass.APPROVAL: Text("审批", "Approval"),
    LogClass.FLOW_PUBLISHING: Text("流程发布", "Flow publishing"),
    LogClass.CONFIGURATION: Text("配置", "Configuration"),
    LogClass.LOG_READING: Text("日志查阅", "Reading of the log"),
}

FACTS: dict[str, type["Fact"]] = {}
"""Every kind of Fact by name, filled as the houses are imported."""


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Fact:
    """Base of all Facts. A subclass is a frozen, keyword-only dataclass by itself:

        class ImpressionSuspended(
            Fact, name="impression.suspended", zh="停用印模", en="Impression suspended",
            log_class=LogClass.SEAL_MANAGEMENT,
        ):
            impression_id: int
            reason: str

    Fields hold str, int, bool, float, None, datetime, or lists and dicts of them: what JSON can say.
    Field names that the log indexes (`app/audit/log.py`): unit_id, impression_id, seal_id, card_serial,
    document_digest, file_name, instance_id, user_id. Use those names where they apply.
    """

    name: ClassVar[str]
    text: ClassVar[Text]
    log_class: ClassVar[LogClass]

    def __init_subclass__(cls, *, name: str, zh: str, en: str, log_class: LogClass) -> None:
        cls.name, cls.text, cls.log_class = name, Text(zh, en), log_class
        dataclasses.dataclass(frozen=True, kw_only=True)(cls)
        if name in FACTS and FACTS[name].__module__ != cls.__module__:
            raise TypeError(f"two facts are called {name}")
        FACTS[name] = cls

    def payload(self) -> dict[str, Any]:
        """The fields as JSON values; moments in ISO 8601 with their offset."""
        return {
            f.name: _json(getattr(self, f.name))
            for f in dataclasses.fields(self)  # type: ignore[arg-type]
        }


def _json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(k): _json(v) for k, v in cast("dict[Any, Any]", value).items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_json(v) for v in cast("list[Any]", value)]
    return value
