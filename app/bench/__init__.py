"""Measures, each against a baseline taken in the same run. One module a bench: `def measures() -> Iterator[Measure]`."""
