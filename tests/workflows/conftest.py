"""The same town and hands as for the flows themselves."""

from tests.flows.conftest import hands, town

__all__ = ["hands", "town"]
