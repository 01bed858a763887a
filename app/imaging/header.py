"""How large a picture says it is, in pixels, read off its first bytes; nothing is decoded. Pure."""

import struct

JPEG_SEGMENTS = 1000
"""No picture of ours has more segments before its frame."""


def pixels(data: bytes) -> tuple[str, int, int] | None:
    """Format ("PNG", "GIF", "BMP", "JPEG"), width, height as the header has them; "OFD" and a zip have no pixels and
    give None, as whatever else is no picture that is known. Never raises."""
    try:
        if data[:8] == b"\x89PNG\r\n\x1a\n" and data[12:16] == b"IHDR":
            return "PNG", *struct.unpack(">II", data[16:24])
        if data[:6] in (b"GIF87a", b"GIF89a"):
            return "GIF", *struct.unpack("<HH", data[6:10])
        if data[:2] == b"BM" and len(data) >= 26:
            return _bmp(data)
        if data[:3] == b"\xff\xd8\xff":
            return _jpeg(data)
    except struct.error:
        pass
    return None


def kind(data: bytes) -> str | None:
    """What the bytes are, whatever the structure calls them."""
    found = pixels(data)
    if found:
        return found[0]
    return "ZIP" if data[:4] == b"PK\x03\x04" else None


def _bmp(data: bytes) -> tuple[str, int, int]:
    (size,) = struct.unpack("<I", data[14:18])
    if size == 12:
        return "BMP", *struct.unpack("<HH", data[18:22])
    width, height = struct.unpack("<ii", data[18:26])
    return "BMP", abs(width), abs(height)


def _jpeg(data: bytes) -> tuple[str, int, int] | None:
    at = 2
    for _ in range(JPEG_SEGMENTS):
        if data[at : at + 1] != b"\xff" or at + 1 >= len(data):
            return None
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        if marker in (0xD9, 0xDA):
            return None
        if 0xD0 <= marker <= 0xD8 or marker == 0x01:
            at += 2
            continue
        (length,) = struct.unpack(">H", data[at + 2 : at + 4])
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return "JPEG", width, height
        at += 2 + length
    return None
