"""What the commands of oversight make true: that somebody read the log. Pure."""

from app.fact import Fact, LogClass


class LogSearched(
    Fact, name="log.searched", zh="检索日志", en="Log searched", log_class=LogClass.LOG_READING
):
    """`wanted`: the conditions as typed. `matched`: how many entries met them."""

    wanted: dict[str, str]
    matched: int


class LogEntryRead(
    Fact, name="log.entry_read", zh="查阅日志条目", en="Log entry read", log_class=LogClass.LOG_READING
):
    number: int


class LogProofTaken(
    Fact, name="log.proof_taken", zh="导出日志证明", en="Log proof taken", log_class=LogClass.LOG_READING
):
    number: int


class LogArchived(
    Fact, name="log.archived", zh="归档日志", en="Log archived", log_class=LogClass.LOG_READING
):
    """Entries `first` to `until` − 1 left the house in a file, still encrypted. `digest`: SHA-256 of the file."""

    first: int
    until: int
    digest: str
