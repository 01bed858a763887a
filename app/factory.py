"""`create_app`: the only place where rooms are joined."""

import importlib
import importlib.util
import logging
import sys
from typing import Any

import sqlalchemy as sa
import structlog
from flask import Flask, jsonify
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFProtect  # pyright: ignore[reportMissingTypeStubs]
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.middleware.proxy_fix import ProxyFix

from app.db import READING, configure_engine, db
from app.people import guards
from app.settings import Settings
from app.web import errors, headers, incoming, language, limits, navigation, theme

HOUSES = (
    "audit", "people", "flows", "applications", "impressions", "cards", "seals", "signing", "exports", "oversight",
    "studio", "notices", "keys",
)  # fmt: skip
"""In the order of a seal's life; those that keep something have `models`."""
PAGES = (
    "app.people", "app.flows", "app.applications", "app.impressions", "app.cards", "app.seals", "app.signing",
    "app.oversight", "app.studio", "app.notices", "reports",
)  # fmt: skip
"""Each offers `views.blueprint`."""

csrf = CSRFProtect()


def create_app(settings: Settings | None = None, *, pages: bool = True, diagrams: bool = True) -> Flask:
    """The server. `settings`: read from the environment when None, and refused if wrong.

    A process that shows no pages or moves no flows leaves out those rooms and starts in a third of the time.
    """
    settings = settings or Settings()
    _configure_logging(settings)
    app = Flask(__name__, static_folder="web/static", template_folder="web/templates")
    app.config.update(
        SETTINGS=settings,
        SECRET_KEY=settings.secret_key.get_secret_value(),
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=_engine_options(settings),
        MAX_CONTENT_LENGTH=settings.upload_limit_bytes,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
        SESSION_COOKIE_NAME="__Host-yinxu-form" if settings.https else "yinxu-form",
        SESSION_COOKIE_SECURE=settings.https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=settings.session_life_s,
        WTF_CSRF_SSL_STRICT=settings.https,
    )
    settings.var_dir.mkdir(parents=True, exist_ok=True)
    if settings.trusted_proxy_count:
        n = settings.trusted_proxy_count
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=n, x_proto=n, x_host=n)  # type: ignore[method-assign]
    db.init_app(app)
    with app.app_context():
        configure_engine(db.engine)
    incoming.init_app(app)
    csrf.init_app(app)
    limits.init_app(app, settings)
    errors.init_app(app, who=guards.who, to_login=guards.to_login)
    for part in (language, theme, headers, navigation, guards):
        part.init_app(app)
    _know_tables()
    if pages:
        _open_houses(app)
    if diagrams:
        _load_diagrams()
    app.add_url_rule("/healthz", view_func=healthz)
    return app


def _engine_options(settings: Settings) -> dict[str, Any]:
    if settings.database_url.startswith("sqlite"):
        return {}
    return {
        "pool_size": settings.web_threads,
        "max_overflow": 4,
        **READING,
    }


def _know_tables() -> None:
    """Import every house's tables: rows refer to each other across houses."""
    for house in HOUSES:
        if importlib.util.find_spec(f"app.{house}.models"):
            importlib.import_module(f"app.{house}.models")


def _open_houses(app: Flask) -> None:
    for house in PAGES:
        _open(app, f"{house}.views")
    _open(app, "app.seals.card_login_views")
    _open(app, "app.cards.agent_api", forms=False)
    _open(app, "app.signing.verify_api", forms=False)


def _open(app: Flask, module: str, *, forms: bool = True) -> None:
    blueprint = importlib.import_module(module).blueprint
    if not forms:
        csrf.exempt(blueprint)  # stations sign each request; who verifies need not be anybody
    app.register_blueprint(blueprint)


def _load_diagrams() -> None:
    """Import every flow's actions, so that diagrams find what they ask for."""
    for flow in importlib.import_module("workflows").FLOWS:
        importlib.import_module(f"workflows.{flow}.actions")


def healthz() -> ResponseReturnValue:
    """Whether this process can reach its database; for load balancers, tells nothing else."""
    try:
        db.session.execute(sa.text("SELECT 1"))
    except SQLAlchemyError:
        return jsonify(status="the database does not answer"), 503
    return jsonify(status="ok")


def _configure_logging(settings: Settings) -> None:
    """One JSON object a line, on standard error. Events name what happened; secrets have no place in them."""
    level = logging.INFO if settings.environment == "production" else logging.WARNING
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
