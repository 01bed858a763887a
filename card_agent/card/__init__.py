"""Cards: the only place of the station that opens one. `interface` says what a card can do."""
