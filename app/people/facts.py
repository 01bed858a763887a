"""What the commands of people make true. Pure."""

from datetime import datetime

from app.fact import Fact, LogClass


class UnitRegistered(
    Fact, name="unit.registered", zh="登记单位", en="Unit registered", log_class=LogClass.CONFIGURATION
):
    unit_id: int
    unit_name: str
    code: str | None
    parent_id: int | None


class UnitRenamed(
    Fact, name="unit.renamed", zh="单位更名", en="Unit renamed", log_class=LogClass.CONFIGURATION
):
    unit_id: int
    unit_name: str
    former_name: str
    reason: str


class UnitMerged(Fact, name="unit.merged", zh="单位合并", en="Unit merged", log_class=LogClass.CONFIGURATION):
    """Its people and sub-units belong to `into_id` from then on; roles held for it (`grant_ids`) ended."""

    unit_id: int
    into_id: int
    reason: str
    user_ids: list[int]
    unit_ids: list[int]
    grant_ids: list[int]


class UnitClosed(Fact, name="unit.closed", zh="单位撤销", en="Unit closed", log_class=LogClass.CONFIGURATION):
    unit_id: int
    reason: str
    grant_ids: list[int]


class UserMoved(Fact, name="user.moved", zh="人员调动", en="Person moved", log_class=LogClass.CONFIGURATION):
    user_id: int
    unit_id: int
    former_unit_id: int


class UserRegistered(
    Fact, name="user.registered", zh="登记人员", en="Person registered", log_class=LogClass.CONFIGURATION
):
    user_id: int
    login: str
    user_name: str
    unit_id: int


class RoleGranted(
    Fact, name="role.granted", zh="授予角色", en="Role granted", log_class=LogClass.SEAL_AUTHORIZATION
):
    user_id: int
    role: str
    unit_id: int | None
    grant_id: int
    valid_from: datetime
    valid_until: datetime | None


class RoleEnded(
    Fact, name="role.ended", zh="解除角色", en="Role ended", log_class=LogClass.SEAL_AUTHORIZATION
):
    user_id: int
    role: str
    unit_id: int | None
    grant_id: int


class OfficersAppointed(
    Fact,
    name="officers.appointed",
    zh="首次任命三员",
    en="First officers appointed",
    log_class=LogClass.SEAL_AUTHORIZATION,
):
    """The ceremony that starts an installation; an entry of its own tells of each person and role."""

    unit_id: int
    user_ids: list[int]


class LoggedIn(Fact, name="person.logged_in", zh="登录", en="Logged in", log_class=LogClass.LOGIN):
    """The session's token is no part of the Fact: the door made it and keeps it. `card_serial`: the card that proved it,
    None for a password."""

    user_id: int
    session_id: int
    card_serial: str | None = None


class LoggedOut(Fact, name="person.logged_out", zh="退出登录", en="Logged out", log_class=LogClass.LOGIN):
    user_id: int
    session_id: int


class LoginFailed(
    Fact, name="person.login_failed", zh="登录失败", en="Login failed", log_class=LogClass.LOGIN
):
    """`known`: whether such a login exists; the page never tells."""

    login: str
    known: bool
    reason: str


class PasswordChanged(
    Fact, name="person.password_changed", zh="修改密码", en="Password changed", log_class=LogClass.LOGIN
):
    user_id: int


class LoginHalf(
    Fact,
    name="person.login_half",
    zh="密码正确，等待验证码",
    en="Password right, code awaited",
    log_class=LogClass.LOGIN,
):
    """No session yet: the second factor is asked for."""

    user_id: int


class SecondFactorBegun(
    Fact,
    name="person.second_factor_begun",
    zh="开始设置两步验证",
    en="Second factor begun",
    log_class=LogClass.LOGIN,
):
    user_id: int


class SecondFactorOn(
    Fact, name="person.second_factor_on", zh="启用两步验证", en="Second factor on", log_class=LogClass.LOGIN
):
    user_id: int


class SecondFactorOff(
    Fact, name="person.second_factor_off", zh="停用两步验证", en="Second factor off", log_class=LogClass.LOGIN
):
    """`reason`: empty when the person did it with the password; else what the security officer wrote."""

    user_id: int
    reason: str
