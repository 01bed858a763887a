"""Every setting, validated at start, all faults reported at once. Units stand in the names.

Each has an environment variable of the same name in capitals with the prefix `YINXU_`, except the two that
the world already names: `DATABASE_URL` and `REDIS_URL`. Secrets may come from files: `YINXU_SECRET_KEY_FILE`.
Documented in `docs/settings.md`; a test holds that page and this class equal.
"""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from flask import current_app
from pydantic import AliasChoices, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

NO_DATABASE_URL = "DATABASE_URL: postgresql:// or sqlite:/// expected"


def is_database_url(url: str) -> bool:
    """Whether it names one of the two databases that we speak to."""
    return url.startswith(("postgresql", "sqlite"))


def _are_working_hours(said: str) -> bool:
    """In order, within one day: `app/flows/workdays.py` reads them."""
    moments = re.findall(r"(?:[01]\d|2[0-3]):[0-5]\d", said, re.ASCII)
    spans = ",".join(f"{a}-{b}" for a, b in zip(moments[::2], moments[1::2], strict=False))
    return bool(spans) and spans == said.replace(" ", "") and moments == sorted(set(moments))


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="YINXU_", extra="ignore", hide_input_in_errors=True)

    environment: Literal["production", "demo", "test"] = "production"
    """`production` demands real secrets; `demo` and `test` run on a loopback with throw-away ones."""

    var_dir: Path = Path("var")
    """Where everything lives that the embedded defaults write: database, objects, tokens, logs."""

    database_url: Annotated[
        str, Field(repr=False, validation_alias=AliasChoices("DATABASE_URL", "YINXU_DATABASE_URL"))
    ] = ""
    """`postgresql://…` or `sqlite:///…`; empty means SQLite in `var_dir`."""

    database_url_file: Annotated[
        Path | None, Field(validation_alias=AliasChoices("DATABASE_URL_FILE", "YINXU_DATABASE_URL_FILE"))
    ] = None
    """A file that holds `database_url`, since that carries a password."""

    redis_url: Annotated[
        str, Field(repr=False, validation_alias=AliasChoices("REDIS_URL", "YINXU_REDIS_URL"))
    ] = "redis://127.0.0.1:6379/0"
    """Nudges only: flushing it loses nothing."""

    object_store_dir: Path | None = None
    """Files by content digest; empty means `var_dir`/objects."""

    secret_key: SecretStr = SecretStr("")
    """Signs CSRF tokens. At least 32 characters in production."""

    secret_key_file: Path | None = None
    """A file that holds `secret_key`, as container secrets do."""

    public_url: str = "http://127.0.0.1:8080"
    """The address people and agents reach; decides secure cookies and the accepted origin."""

    listen: str = "127.0.0.1:8080"
    """host:port for `yinxu serve`."""

    web_threads: Annotated[int, Field(ge=1, le=64)] = 8
    """Requests that one web process answers at the same time."""

    trusted_proxy_count: Annotated[int, Field(ge=0, le=5)] = 0
    """How many proxies in front may be believed about the client's address (A24)."""

    key_backend: Literal["pkcs11", "software"] = "pkcs11"
    """Where the server's master keys live. `software` is for fast tests and refused in production."""

    pkcs11_module: Path = Path("/usr/lib/softhsm/libsofthsm2.so")
    """The PKCS#11 library of the token that holds the server's keys."""

    server_token_label: str = "yinxu-server"  # noqa: S105
    """The label of that token."""

    server_token_pin: SecretStr = SecretStr("")
    """Its user PIN."""

    server_token_pin_file: Path | None = None
    """A file that holds the PIN."""

    softhsm2_conf: Path | None = None
    """SoftHSM's configuration for the *server's* token; empty means `var_dir`/server-token/softhsm2.conf."""

    trust_dir: Path | None = None
    """PEM files of the roots that are trusted; empty means `var_dir`/trust."""

    witness_dir: Path | None = None
    """Where log checkpoints are pushed, outside the database; empty means `var_dir`/witness."""

    session_idle_s: Annotated[int, Field(ge=60)] = 30 * 60
    """A login ends after so long without a request."""

    session_life_s: Annotated[int, Field(ge=300)] = 12 * 3600
    """A login ends after so long, however busy."""

    login_attempts_before_lock: Annotated[int, Field(ge=3, le=20)] = 5
    """Wrong passwords in a row before a login is locked for a while."""

    login_lock_s: Annotated[int, Field(ge=10)] = 15 * 60
    """How long it is locked."""

    login_rate: str = "20 per minute"
    """Logins accepted from one address."""

    upload_limit_bytes: Annotated[int, Field(ge=1024)] = 20 * 1024 * 1024
    """The largest request that is accepted."""

    image_limit_pixels: Annotated[int, Field(ge=10_000)] = 12_000_000
    """The largest picture that is decoded, width times height."""

    order_life_s: Annotated[int, Field(ge=30, le=3600)] = 120
    """How long a station may take between a production order and its write token."""

    station_page_url: str = "http://127.0.0.1:9443/"
    """Where a card agent's own page stands: on its own computer, so that PINs never leave it; pages link to it."""

    agent_poll_s: Annotated[int, Field(ge=0, le=60)] = 20
    """The longest an agent's request for work is held open."""

    seal_version: Literal[4, 5] = 4
    """The structure new seals have: 4 = GB/T 38540-2020, 5 = GM/T 0031-2025."""

    seal_level: Literal["B-B", "B-T", "B-LT", "B-LTA"] = "B-B"
    """The PAdES level of new sealings: T has a time-stamp of the signature, LT besides the revocation lists of its day, LTA
    besides a time-stamp around all of it. Above B-B `tsa_url` is needed."""

    tsa_url: str = ""
    """The time-stamping authority (RFC 3161, over HTTP). Its root lies in `trust_dir` like any other."""

    tsa_timeout_s: Annotated[int, Field(ge=1, le=6)] = 5
    """How long it may take for a time-stamp; a station waits fifteen seconds for an answer."""

    trust_refresh_s: Annotated[int, Field(ge=0)] = 3600
    """How often revocation lists and OCSP answers are fetched from where certificates say; 0: never, for a closed network
    whose lists are brought into `trust_dir`/crls by hand."""

    trust_private_allowed: bool = False
    """Whether those addresses may be private, loopback and link-local ones: a CA of the organisation's own."""

    crl_required: bool = True
    """Refuse a certificate of which neither a fresh list in `trust_dir`/crls nor a fresh answer in `trust_dir`/ocsp speaks
    (fail closed)."""

    job_timeout_s: Annotated[int, Field(ge=1)] = 300
    """A job that runs longer is ended, and found again by the next sweep."""

    request_keys_kept_s: Annotated[int, Field(ge=60)] = 24 * 3600
    """How long the answer to a request with an idempotency key is kept."""

    uploads_kept_days: Annotated[int, Field(ge=1)] = 30
    """How long a file is kept that came with a form which was never sent, nor saved as a draft since."""

    renewal_days: Annotated[int, Field(ge=0)] = 60
    """So many days before a seal ends, the flow of its renewal (换发) starts by itself; 0: never."""

    incident_tries: Annotated[int, Field(ge=0, le=20)] = 5
    """How often a stopped flow is tried again by itself, where that may help; then it waits for a person."""

    incident_retry_s: Annotated[int, Field(ge=1)] = 60
    """After which time it is first tried; each further time after twice as long."""

    time_zone: str = "Asia/Shanghai"
    """In which moments are shown to people."""

    working_hours: str = "09:00-18:00"
    """When one works on a working day; with a break: `09:00-12:00,13:30-18:00`."""

    urge_interval_s: Annotated[int, Field(ge=60)] = 3600
    """How long after a nudge (催办) the same task may be nudged again."""

    notice_due_soon_s: Annotated[int, Field(ge=60)] = 24 * 3600
    """How long before a task is due its holder is told so; never of one that came with less than twice that time."""

    notices_kept_days: Annotated[int, Field(ge=7)] = 180
    """How long notices are kept."""

    notice_digest_hour: Annotated[int, Field(ge=0, le=23)] = 8
    """At which hour a daily mail of notices is sent."""

    smtp_host: str = ""
    """The mail server through which notices go out; empty: none do."""

    smtp_port: Annotated[int, Field(ge=0, le=65535)] = 0
    """Its port; 0: 587 for `starttls`, 465 for `tls`, 25 for `none`."""

    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    """How the way to it is protected; what cannot be protected as told is not sent."""

    smtp_ca_file: Path | None = None
    """PEM file of the authority that its certificate comes from; empty: those the system trusts."""

    smtp_user: str = ""
    """The account that sends; empty: none is asked for."""

    smtp_password: SecretStr = SecretStr("")
    """Its password; never sent over an unprotected way."""

    smtp_password_file: Path | None = None
    """A file that holds `smtp_password`."""

    smtp_from: str = ""
    """The sender's address."""

    smtp_timeout_s: Annotated[int, Field(ge=1, le=120)] = 10
    """How long the mail server may take for an answer."""

    mail_domains: Annotated[tuple[str, ...], NoDecode] = ()
    """Domains to which notices are mailed, with commas between; empty: all."""

    webhook_private_allowed: bool = False
    """Whether a webhook may lead to private, loopback and link-local addresses, and use http."""

    webhook_timeout_s: Annotated[int, Field(ge=1, le=60)] = 10
    """How long a webhook may take, from the first byte to the last."""

    studio_second_person: bool | None = None
    """Whether a second process owner must agree before a flow is published; empty means yes in production, no in the
    demo and in tests."""

    languages: Annotated[tuple[str, ...], NoDecode] = ("zh", "en")
    """Languages offered, the first is the default."""

    @field_validator("languages", "mail_domains", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(v.strip() for v in value.split(",") if v.strip()) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _files_and_defaults(self) -> "Settings":
        self.var_dir = self.var_dir.resolve()
        faults = [*self._read_secret_files(), *self._faults()]
        if faults:
            raise ValueError("; ".join(faults))
        self.database_url = self.database_url or f"sqlite:///{self.var_dir}/yinxu.sqlite"
        self.object_store_dir = self.object_store_dir or self.var_dir / "objects"
        self.trust_dir = self.trust_dir or self.var_dir / "trust"
        self.witness_dir = self.witness_dir or self.var_dir / "witness"
        if self.studio_second_person is None:
            self.studio_second_person = self.environment == "production"
        self.softhsm2_conf = self.softhsm2_conf or self.var_dir / "server-token" / "softhsm2.conf"
        return self

    def _read_secret_files(self) -> list[str]:
        """Take what stands in files; gives a sentence for each file that cannot be read."""
        faults: list[str] = []
        for name in ("secret_key", "server_token_pin", "database_url", "smtp_password"):
            path: Path | None = getattr(self, f"{name}_file")
            if path is None:
                continue
            try:
                text = path.read_text().strip()
            except OSError as error:
                faults.append(f"{name.upper()}_FILE: {error}")
            else:
                setattr(self, name, text if name == "database_url" else SecretStr(text))
        return faults

    def _faults(self) -> list[str]:
        faults: list[str] = []
        if self.environment == "production":
            if len(self.secret_key.get_secret_value()) < 32:
                faults.append("YINXU_SECRET_KEY (or …_FILE): at least 32 characters are needed")
            if self.key_backend != "pkcs11":
                faults.append("YINXU_KEY_BACKEND: only pkcs11 in production")
            if not self.server_token_pin.get_secret_value():
                faults.append("YINXU_SERVER_TOKEN_PIN (or …_FILE): the server's token needs its PIN")
        elif not self.secret_key.get_secret_value():
            faults.append("YINXU_SECRET_KEY (or …_FILE): not set")
        if not _are_working_hours(self.working_hours):
            faults.append("YINXU_WORKING_HOURS: like 09:00-18:00 or 09:00-12:00,13:30-18:00")
        if self.database_url and not is_database_url(self.database_url):
            faults.append(NO_DATABASE_URL)
        if self.smtp_host and not re.fullmatch(r"[^@\s<>,;]+@[^@\s<>,;]+", self.smtp_from, re.ASCII):
            faults.append("YINXU_SMTP_FROM: an address is needed to send from, like seals@example.com")
        if (self.seal_level != "B-B" or self.tsa_url) and not self.tsa_url.startswith(
            ("http://", "https://")
        ):
            faults.append(
                "YINXU_TSA_URL: the levels above B-B need a time-stamping authority, http:// or https://"
            )
        if self.smtp_security == "none" and self.smtp_password.get_secret_value():
            faults.append("YINXU_SMTP_SECURITY: a password is never sent unprotected; choose starttls or tls")
        if not self.redis_url.startswith(("redis://", "rediss://", "unix://")):
            faults.append("REDIS_URL: redis://, rediss:// or unix:// expected")
        return faults

    @property
    def https(self) -> bool:
        return self.public_url.startswith("https://")


def current_settings() -> Settings:
    """The settings of the app whose context we are in; `create_app` put them there."""
    config = cast("dict[str, Any]", current_app.config)
    return cast(Settings, config["SETTINGS"])
