"""`yinxu people`: the first appointments, made where the server stands (D6), and a list."""

import dataclasses
import json

import click


@click.group()
def command() -> None:
    """Units, people and roles. Appointments from here are for the ceremony that starts an installation."""


@command.command()
@click.argument("unit")
@click.option("--code", help="统一社会信用代码, 18 characters.")
@click.option("--person", "people", nargs=3, multiple=True, metavar="LOGIN NAME ROLE", required=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a person.")
def init(unit: str, code: str | None, people: tuple[tuple[str, str, str], ...], as_json: bool) -> None:
    """Enter the first UNIT and the three officers, three different persons; all of it or nothing.

    Each first password is asked for and never shown. All other roles are granted afterwards, on the pages, by
    the security officer.

    \b
    yinxu people init 示例公司 \\
      --person wu 吴桐 system_administrator \\
      --person zheng 郑安 security_officer \\
      --person qian 钱正 security_auditor
    """
    from app.actor import SYSTEM
    from app.factory import create_app
    from app.people import commands, queries, rules

    asked = [rules.FirstPerson(login=login, name=name, role=role) for login, name, role in people]
    rules.check_ceremony(asked)
    if code:
        rules.check_credit_code(code)
    with create_app(pages=False, diagrams=False).app_context():
        rules.check_nobody_yet(len(queries.people()))
        ready = [
            dataclasses.replace(person, password=_password(person.login, person.name)) for person in asked
        ]
        commands.appoint_officers(unit, ready, code=code, by=SYSTEM)
    for login, name, role in people:
        line = {"login": login, "name": name, "unit": unit, "roles": [role]}
        click.echo(json.dumps(line, ensure_ascii=False) if as_json else f"{login} {name} {role}")


def _password(login: str, name: str) -> str:
    """Asked for twice, and again until it will do; nothing has been written yet."""
    from app.people import rules
    from app.refusal import Invalid

    while True:
        password: str = click.prompt(f"{name} ({login})", hide_input=True, confirmation_prompt=True, err=True)
        try:
            rules.check_password(password, login)
        except Invalid as weak:
            click.echo(f"{weak.text.zh}\n{weak.text.en}", err=True)
        else:
            return password


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_(as_json: bool) -> None:
    """Everybody, with unit and roles."""
    from app.factory import create_app
    from app.people import queries

    app = create_app(pages=False, diagrams=False)
    with app.app_context():
        units = {u.id: u.name for u in queries.units()}
        for person in queries.people():
            roles = [g.role for g in queries.grants_of(person.id)]
            line = {"login": person.login, "name": person.name, "unit": units[person.unit_id], "roles": roles}
            click.echo(
                json.dumps(line, ensure_ascii=False)
                if as_json
                else "  ".join([person.login, person.name, units[person.unit_id], *roles])
            )
