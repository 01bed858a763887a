"""Passwords, hashed: argon2id as OWASP has it, about 20 ms."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
NOBODYS = hasher.hash("a password that nobody has")


def verify(stored: str, password: str) -> bool:
    """Takes as long for a login that does not exist (`NOBODYS`) as for one that does."""
    try:
        return hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
