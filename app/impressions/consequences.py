"""Where the floors above tell what a change of an impression touches (D4): seals made from it, who uses them. Pure."""

from app.touched import Tellers

touched_by_impressions = Tellers[int]()
touched = touched_by_impressions.all
