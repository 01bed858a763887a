"""One word per concept, in code, docs, facts and pages. Pure. Templates take their words from here."""

from app.text import Text

ROLES: dict[str, Text] = {
    # business
    "applicant": Text("申请人", "Applicant"),
    "seal_office": Text("印章管理部门", "Seal office"),
    "seal_office_head": Text("印章管理部门负责人", "Head of the seal office"),
    "unit_head": Text("单位负责人", "Head of the unit"),
    "station_operator": Text("制章操作员", "Station operator"),
    "seal_manager": Text("印章管理员", "Seal manager"),
    "seal_user": Text("印章使用者", "Seal user"),
    "process_owner": Text("流程管理员", "Process owner"),
    "overseer": Text("用印监督员", "Overseer of seal use"),
    # the three officers (D6): nobody holds two, none holds a role above
    "system_administrator": Text("系统管理员", "System administrator"),
    "security_officer": Text("安全保密管理员", "Security officer"),
    "security_auditor": Text("安全审计员", "Security auditor"),
}

OFFICERS = frozenset({"system_administrator", "security_officer", "security_auditor"})

SEAL_KINDS: dict[str, Text] = {
    "official": Text("公章", "Official seal"),
    "personal_name": Text("名章", "Personal name seal"),
    "personal_signature": Text("签名", "Personal signature"),
}

DOCUMENT_CLASSES: dict[str, Text] = {
    "contract": Text("合同协议", "Contracts"),
    "official_document": Text("公文", "Official documents"),
    "certificate": Text("证明材料", "Certificates and proofs"),
    "finance": Text("财务单据", "Financial papers"),
    "other": Text("其他", "Others"),
}
"""What a document is, as whoever hands it in says; a grant may name the classes it covers (A22)."""

LEVELS: dict[str, Text] = {
    "none": Text("不需要第二人", "Nobody else"),
    "office": Text("印章管理部门审批", "The seal office decides"),
    "office_and_head": Text("印章管理部门审核，负责人审批", "The seal office reviews, its head decides"),
    "office_and_witness": Text(
        "印章管理部门复核，并须监销", "The seal office agrees, and a witness is there"
    ),
    "manager": Text("印章管理员审批", "The seal manager decides"),
    "manager_and_head": Text(
        "印章管理员审核，单位负责人审批", "The seal manager reviews, the unit's head decides"
    ),
}
"""What the shipped rule tables may answer."""

PARAMETERS: dict[str, Text] = {
    "application_id": Text("申请单", "The application"),
    "business_key": Text("办理的事项", "The case"),
    "card_serial": Text("印章卡", "The seal card"),
    "change_id": Text("变更事项", "The change"),
    "collector_document": Text("领用人证件号", "The collector's document"),
    "collector_name": Text("领用人", "The collector"),
    "destruction_id": Text("销毁事项", "The destruction"),
    "impression_id": Text("印模", "The impression"),
    "job_id": Text("制章任务", "The order to make a seal"),
    "on_behalf_of": Text("代谁领用", "On whose behalf"),
    "days": Text("办理期限（天）", "How many days it may be used"),
    "request_id": Text("用印申请", "The request"),
    "reason": Text("理由", "The reason"),
    "new_seal_id": Text("新印章", "The new seal"),
    "remaking_id": Text("重新制章事项", "The remaking"),
    "seal_change_id": Text("印章变更事项", "The change of the seal"),
    "seal_id": Text("电子印章", "The electronic seal"),
    "withdrawal_id": Text("撤章事项", "The withdrawal"),
    "station_id": Text("制章工位", "The card station"),
}
"""What actions are given, as the studio asks for it. A test holds that no action's parameter lacks its words."""

TERMS: dict[str, Text] = {
    "impression": Text("印模", "Impression"),
    "impressions": Text("印模库", "Impression library"),
    "seal": Text("电子印章", "Electronic seal"),
    "maker_card": Text("制章授权卡", "Maker card"),
    "seal_card": Text("印章卡", "Seal card"),
    "station": Text("制章工位", "Card station"),
    "ledger": Text("印章台帐", "Seal ledger"),
    "application": Text("申请单", "Application"),
    "collector": Text("领用人", "Collector"),
    "inbox": Text("待我办理", "Inbox"),
    "verify": Text("验章", "Verify"),
    "log": Text("审计日志", "Audit log"),
}


def role_of_lane(label: str) -> str | None:
    """The role whose Chinese name a diagram's lane carries, or None."""
    return next((role for role, text in ROLES.items() if text.zh == label), None)
