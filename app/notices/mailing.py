"""The only way to the mail server. What was accepted is sent; what was not says whether to try again."""

import smtplib
import ssl
from email.message import EmailMessage

from app.notices.outcome import Again, Never
from app.settings import Settings

PORTS = {"starttls": 587, "tls": 465, "none": 25}


def send(message: EmailMessage, settings: Settings) -> None:
    """Hand one mail over. Raises `Again` or `Never` with what the server said."""
    try:
        server = _connect(settings)
    except smtplib.SMTPAuthenticationError as error:
        raise Again(f"the mail server does not know the account: {_said(error)}", everybody=True) from error
    except (OSError, smtplib.SMTPException) as error:
        raise Again(f"the mail server cannot be reached: {_why(error)}", everybody=True) from error
    try:
        server.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()))
        raise _refused(code, said) from error
    except smtplib.SMTPResponseException as error:
        raise _refused(error.smtp_code, error.smtp_error) from error
    except smtplib.SMTPNotSupportedError as error:
        raise Never(f"the mail server cannot take it: {error}") from error
    except (OSError, smtplib.SMTPException) as error:
        # the line broke: it may have been taken, and nobody is mailed twice
        raise Never(f"it is not known whether it was sent: {_why(error)}") from error
    finally:
        _leave(server)


def _leave(server: smtplib.SMTP) -> None:
    """What was accepted stays accepted, however the farewell goes."""
    try:
        server.quit()
    except (OSError, smtplib.SMTPException):
        server.close()


def _connect(settings: Settings) -> smtplib.SMTP:
    context = ssl.create_default_context(cafile=settings.smtp_ca_file)
    host, timeout = settings.smtp_host, settings.smtp_timeout_s
    port = settings.smtp_port or PORTS[settings.smtp_security]
    server: smtplib.SMTP
    if settings.smtp_security == "tls":
        server = smtplib.SMTP_SSL(host, port, timeout=timeout, context=context)
    else:
        server = smtplib.SMTP(host, port, timeout=timeout)
    try:
        if settings.smtp_security == "starttls":
            server.starttls(context=context)
        if settings.smtp_user:
            server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
    except BaseException:
        server.close()
        raise
    return server


def _refused(code: int, said: bytes | str) -> Again | Never:
    words = said.decode(errors="replace") if isinstance(said, bytes) else said
    text = f"the mail server answered {code} {words}"[:500]
    return Again(text) if 400 <= code < 500 else Never(text)


def _said(error: smtplib.SMTPResponseException) -> str:
    return f"{error.smtp_code} {error.smtp_error!r}"[:300]


def _why(error: Exception) -> str:
    return f"{type(error).__name__} {error}"[:300]
