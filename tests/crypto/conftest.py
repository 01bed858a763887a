"""Keys and vault need a database for their wrapped data keys: the log's small server has one."""

from tests.audit.conftest import log, log_settings

__all__ = ["log", "log_settings"]
