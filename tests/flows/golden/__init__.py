"""Instances as each release stored them, with the diagrams they run by. What lies here is never written again."""
