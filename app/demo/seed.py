"""What stands before the story begins: units, people, roles. Through the product's own commands."""

import json
import secrets
import sys
from pathlib import Path
from typing import Any

from app import migrations
from app.actor import SYSTEM
from app.crypto.first_keys import make_missing
from app.crypto.keys import ring_of
from app.demo import time_stamps
from app.demo.cast import CREDIT_CODE_BODY, DEPARTMENT, HEADQUARTERS, IT, PEOPLE, SEAL_OFFICE
from app.demo.pki import CardWish, Pki
from app.factory import create_app
from app.flows import commands as flows
from app.people import commands, rules
from app.settings import Settings


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


def installation(pki: Pki, wishes: list[CardWish]) -> dict[str, Any]:
    """What an administrator does before anybody logs in: keys, certificates, tables, diagrams, people.

    The same steps as `yinxu keys init`, `keys certificate`, `db upgrade` and `people init`, in one process.
    """
    settings = Settings()
    make_missing(settings)
    ring = ring_of(settings)
    made = pki.create(wishes, ring.public_key("order"))
    assert made.order_certificate is not None
    ring.install_certificate("order", made.order_certificate)
    time_stamps.install(pki)
    app = create_app(settings, pages=False)
    with app.app_context():
        migrations.upgrade(app)
        flows.load_files(by=SYSTEM)
        return {"passwords": people(), "cards": [[c.label, c.role, c.serial, c.token] for c in made.cards]}


def main() -> None:
    """Reads the folders and the wished cards from standard input; prints what was made, as JSON."""
    asked = json.load(sys.stdin)
    pki = Pki(*(Path(folder) for folder in asked["folders"]))
    print(json.dumps(installation(pki, [CardWish(**wish) for wish in asked["wishes"]])))


if __name__ == "__main__":
    main()
