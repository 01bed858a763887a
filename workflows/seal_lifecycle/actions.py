"""The life of a seal asks nothing of Python itself: it calls the other diagrams, and those do."""
