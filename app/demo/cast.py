"""The people of the demo's story, their units and their roles. Appointed through the product's own commands."""

from dataclasses import dataclass

HEADQUARTERS = "北京示例科技有限公司"
DEPARTMENT = "供应链中心"
SEAL_OFFICE = "印章管理办公室"
IT = "信息中心"

CREDIT_CODE_BODY = "91110108MA0YNXU0A"
"""17 characters of a 统一社会信用代码 that no real company has; the check character is computed."""

SEAL_NAME = "北京示例科技有限公司供应链中心"


@dataclass(frozen=True)
class Person:
    """`roles`: (role, whether for the own unit only)."""

    login: str
    name: str
    english: str
    unit: str
    roles: tuple[tuple[str, bool], ...]


PEOPLE = (
    Person("lihang", "李航", "Li Hang", DEPARTMENT, (("applicant", True),)),
    Person("wangmin", "王敏", "Wang Min", SEAL_OFFICE, (("seal_office", False), ("seal_manager", False))),
    Person("zhaolei", "赵磊", "Zhao Lei", SEAL_OFFICE, (("seal_office_head", False),)),
    Person("liuke", "刘可", "Liu Ke", SEAL_OFFICE, (("station_operator", False),)),
    Person("zhouning", "周宁", "Zhou Ning", DEPARTMENT, (("seal_user", True),)),
    Person("sunli", "孙立", "Sun Li", DEPARTMENT, (("unit_head", True),)),
    Person("chenjing", "陈静", "Chen Jing", DEPARTMENT, ()),
    Person("fengyuan", "冯源", "Feng Yuan", SEAL_OFFICE, (("process_owner", False),)),
    Person("heqing", "何青", "He Qing", HEADQUARTERS, (("overseer", False),)),
    Person("sysadmin", "吴桐", "Wu Tong", IT, (("system_administrator", False),)),
    Person("secofficer", "郑安", "Zheng An", IT, (("security_officer", False),)),
    Person("secauditor", "钱正", "Qian Zheng", IT, (("security_auditor", False),)),
)
