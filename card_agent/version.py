"""The version of this program. Pure."""

VERSION = "0.1.0"
