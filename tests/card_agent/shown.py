"""An agent as its page sees it, around a desk."""

from dataclasses import dataclass, field

from card_agent.desk import Desk
from card_agent.enrolment import Station
from card_agent.loops import Contact
from card_agent.protocol.jobs import CardSeen
from tests.card_agent import makers


@dataclass
class Sees:
    cards: tuple[CardSeen, ...] = ()


@dataclass
class Shown:
    desk: Desk
    presence: Sees = field(default_factory=Sees)
    contact: Contact = field(default_factory=Contact)
    station: Station = field(
        default_factory=lambda: Station(server="http://x", station_id=7, station_name="一号工位", roots=())
    )
    host: str = makers.HOST
    mac: str = makers.MAC
