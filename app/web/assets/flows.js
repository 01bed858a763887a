// Keyboard of the inbox.
