"""The flows, in the order of a seal's life: the table of contents. Each is a folder of that name beside this file."""

import importlib

FLOWS = (
    "seal_lifecycle",
    "seal_approval",
    "seal_production",
    "seal_issuance",
    "seal_authorization",
    "impression_change",
    "seal_change",
    "seal_remaking",
    "card_destruction",
    "seal_use",
    "seal_withdrawal",
)


def load_actions() -> None:
    """Import what the diagrams ask of Python, so that every action is registered. The factory calls it once."""
    for flow in FLOWS:
        importlib.import_module(f"workflows.{flow}.actions")
