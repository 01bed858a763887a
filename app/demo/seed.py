"""What stands before the story begins: units, people, roles. Through the product's own commands."""

import secrets

from app.actor import SYSTEM
from app.demo.cast import CREDIT_CODE_BODY, DEPARTMENT, HEADQUARTERS, IT, PEOPLE, SEAL_OFFICE
from app.people import commands, rules


def credit_code() -> str:
    return CREDIT_CODE_BODY + rules.credit_check_character(CREDIT_CODE_BODY)


def people() -> dict[str, str]:
    """Enter everybody. Gives each login's password, made for this run."""
    top = commands.register_unit(HEADQUARTERS, code=credit_code(), by=SYSTEM).unit_id
    units = {HEADQUARTERS: top}
    for name in (DEPARTMENT, SEAL_OFFICE, IT):
        units[name] = commands.register_unit(name, parent_id=top, by=SYSTEM).unit_id
    passwords: dict[str, str] = {}
    for person in PEOPLE:
        password = secrets.token_urlsafe(9)
        passwords[person.login] = password
        user = commands.register_user(person.login, person.name, units[person.unit], password, by=SYSTEM)
        for role, own_unit_only in person.roles:
            commands.appoint(user.user_id, role, units[person.unit] if own_unit_only else None, by=SYSTEM)
    return passwords


def main() -> None:
    """Prints the passwords as JSON for the demo that called."""
    import json

    from app.factory import create_app

    with create_app(pages=False, diagrams=False).app_context():
        print(json.dumps(people()))


if __name__ == "__main__":
    main()
