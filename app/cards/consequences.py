"""Where the floors above tell what the end of a card touches, by its serial: the seals on it, and who uses them. Pure."""

from app.touched import Tellers

touched_by_cards = Tellers[str]()
touched = touched_by_cards.all
