"""A PIN that cannot be printed. Pure."""


class Pin:
    """Holds a PIN for the length of one ritual. It has no text, no repr, no equality and cannot be pickled;
    only the card layer asks for `secret()`."""

    __slots__ = ("__secret",)

    def __init__(self, secret: str) -> None:
        self.__secret = secret

    def secret(self) -> str:
        return self.__secret

    def __repr__(self) -> str:
        return "<PIN>"

    __str__ = __repr__

    def __format__(self, _spec: str) -> str:
        return "<PIN>"

    def __reduce__(self) -> str:
        raise TypeError("a PIN is not stored")
