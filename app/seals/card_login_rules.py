"""The law of logging in with a card. Pure."""

from app.refusal import Conflict, Forbidden


def no_card() -> Conflict:
    """The same words whoever was named: nobody learns who has which card."""
    return Conflict(
        "people.no_card_here",
        zh="没有读到可以登录的本人印章卡。请插入本人的印章卡并确认工位程序已连接，再试一次；或用密码登录",
        en="No card of this person that may be used to log in is in a reader. Insert it, see that the station is connected, and "
        "try again; or log in with the password",
    )


def check_mine(same_browser: bool) -> None:
    if not same_browser:
        raise Forbidden(
            "people.not_your_login",
            zh="这次登录不是在此浏览器发起的，请重新登录",
            en="This login was not begun in this browser; log in again",
        )


def check_proved(state: str, *, fresh: bool) -> None:
    if state != "proved" or not fresh:
        raise Conflict(
            "people.card_not_proved",
            zh="印章卡尚未确认，或请求已失效；请在工位确认，或重新登录",
            en="The card has not confirmed it, or the time is over; confirm it at the station, or begin again",
        )


def check_open(state: str, *, fresh: bool) -> None:
    if state != "open" or not fresh:
        raise Conflict(
            "people.card_login_over",
            zh="登录请求已失效，请回到登录页面重新发起",
            en="This login is over; begin again at the login page",
        )


def proof_bad() -> Forbidden:
    return Forbidden(
        "people.card_proof_bad",
        zh="印章卡的签名与登录请求不符，已拒绝",
        en="The card's signature does not fit this login, so it is refused",
    )
