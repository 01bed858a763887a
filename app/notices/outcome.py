"""What may become of something that was sent outside. Pure."""


class Again(Exception):
    """It did not go out, and may later. `everybody`: it lies at the way itself, so that it rests for a while."""

    def __init__(self, why: str, *, everybody: bool = False) -> None:
        super().__init__(why)
        self.everybody = everybody


class Never(Exception):
    """It did not go out, or it is not known whether it did: trying again by itself would be wrong."""
