"""Is it the picture of the same seal? Told from two clear impressions in small. Pure.

A likeness is a clear impression on 64 by 64 squares: coarse, but the layout and most characters of a seal can be told
from it. So it is kept as sealed as the impression itself (A10), never in the clear; `app/impressions/likeness.py`.

Seals of one maker look alike: ring, star, the same name; only two characters tell 合同专用章 from 财务专用章. Two likenesses
are therefore compared square by square, and the three that agree least decide. Measured over seals pressed askew,
with noise and across print: the same seal 0.95 and more, two seals that differ in two small characters at most 0.84.
"""

import io
import zlib

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

SIDE = 64
PARTS = 8
SAME = 0.9
_WORTH_COMPARING = 0.6
Plane = NDArray[np.float32]


def likeness(png: bytes) -> bytes:
    """`png`: a clear impression, RGBA, cut to its ink."""
    image = Image.open(io.BytesIO(png)).convert("RGBA").getchannel("A")
    soft = image.filter(ImageFilter.GaussianBlur(max(image.size) / 250))
    return zlib.compress(soft.resize((SIDE, SIDE), Image.Resampling.BOX).tobytes())


def same_seal(one: bytes, other: bytes) -> bool:
    return agreement(one, other) >= SAME


def agreement(one: bytes, other: bytes) -> float:
    """From about 0 for strangers to 1 for the very same picture."""
    first, second = _plane(one), _plane(other)
    if _correlation(first, second) < _WORTH_COMPARING:
        return 0.0
    best = np.max([_by_part(first, moved) for moved in _moved(second)], axis=0)
    weight = np.maximum(_sums(first * first), _sums(second * second))
    worst = np.sort(best[weight > 0.15 * float(np.median(weight)) + 0.02])[:3]
    return float(worst.mean()) if worst.size else 0.0


def _plane(kept: bytes) -> Plane:
    flat = np.frombuffer(zlib.decompress(kept), dtype=np.uint8).reshape(SIDE, SIDE)
    plane = flat.astype(np.float32) / 255
    return (plane - plane.mean()).astype(np.float32)


def _moved(plane: Plane) -> list[Plane]:
    """By one square each way: a cut is never exact."""
    return [np.roll(plane, (dy, dx), (0, 1)) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]


def _sums(plane: Plane) -> Plane:
    edge = SIDE // PARTS
    return plane.reshape(PARTS, edge, PARTS, edge).sum(axis=(1, 3))


def _by_part(first: Plane, second: Plane) -> Plane:
    norm = np.sqrt(_sums(first * first) * _sums(second * second)) + 1e-6
    return (_sums(first * second) / norm).astype(np.float32)


def _correlation(first: Plane, second: Plane) -> float:
    return float((first * second).sum() / (np.sqrt((first**2).sum() * (second**2).sum()) + 1e-6))
