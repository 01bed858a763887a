"""`yinxu people`: the first appointments, made where the server stands (D6), and a list."""

import json

import click


@click.group()
def command() -> None:
    """Units, people and roles. Appointments from here are for the ceremony that starts an installation."""


@command.command()
@click.argument("unit")
@click.option("--code", help="统一社会信用代码, 18 characters.")
@click.option("--person", "people", nargs=3, multiple=True, metavar="LOGIN NAME ROLE", required=True)
def init(unit: str, code: str | None, people: tuple[tuple[str, str, str], ...]) -> None:
    """Enter the first UNIT and the three officers. Each first password is asked for and never shown.

    yinxu people init 示例公司 --person wu 吴桐 system_administrator --person zheng 郑安 security_officer …
    """
    from app.actor import SYSTEM
    from app.factory import create_app
    from app.people import commands, queries
    from app.refusal import Conflict

    app = create_app(pages=False, diagrams=False)
    with app.app_context():
        if queries.people():
            raise Conflict(
                "people.ceremony_over",
                zh="已有人员登记，首次任命只能进行一次。请由安全保密管理员在页面上授予角色",
                en="There are people already: the first appointment is over. The security officer grants roles now",
            )
        unit_id = commands.register_unit(unit, code=code, by=SYSTEM).unit_id
        for login, name, role in people:
            password = click.prompt(f"{name} ({login})", hide_input=True, confirmation_prompt=True)
            user_id = commands.register_user(login, name, unit_id, password, by=SYSTEM).user_id
            commands.appoint(user_id, role, by=SYSTEM)
            click.echo(f"{login} {name} {role}")


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
