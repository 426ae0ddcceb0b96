"""Damaged copies of valid inputs; each is a function of (seed, number)."""

import random
from collections.abc import Sequence

_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def mutated(seeds: Sequence[bytes], seed: int, number: int) -> bytes:
    """One of the inputs with one to eight changes.

    Args:
        seeds: Valid inputs.
        seed: Of the whole series.
        number: Which one of the series.
    """
    chance = random.Random(f"{seed} {number}")
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.choice((1, 1, 1, 2, 4, 8))):
        chance.choice(_CHANGES)(data, chance, seeds)
    return bytes(data)


def _place(data: bytearray, chance: random.Random) -> int:
    """A place in the data, in the header as often as in all the rest."""
    end = len(data) if chance.random() < 0.5 else min(len(data), 64)
    return chance.randrange(max(end, 1))


def _flip(data: bytearray, chance: random.Random, seeds: Sequence[bytes]) -> None:
    if data:
        data[_place(data, chance)] ^= 1 << chance.randrange(8)


def _number(data: bytearray, chance: random.Random, seeds: Sequence[bytes]) -> None:
    size, place = chance.choice((1, 2, 4)), _place(data, chance)
    value = chance.choice(_NUMBERS) & (2 ** (8 * size) - 1)
    data[place : place + size] = value.to_bytes(size, chance.choice(("little", "big")))


def _cut(data: bytearray, chance: random.Random, seeds: Sequence[bytes]) -> None:
    del data[_place(data, chance) :]


def _remove(data: bytearray, chance: random.Random, seeds: Sequence[bytes]) -> None:
    place = _place(data, chance)
    del data[place : place + chance.randrange(1, 64)]


def _repeat(data: bytearray, chance: random.Random, seeds: Sequence[bytes]) -> None:
    place = _place(data, chance)
    piece = data[place : place + chance.randrange(1, 64)]
    data[place:place] = piece * chance.choice((1, 2, 100))


def _noise(data: bytearray, chance: random.Random, seeds: Sequence[bytes]) -> None:
    place, size = _place(data, chance), chance.randrange(1, 32)
    data[place : place + size] = chance.randbytes(size)


def _splice(data: bytearray, chance: random.Random, seeds: Sequence[bytes]) -> None:
    other = chance.choice(seeds)
    data[_place(data, chance) :] = other[chance.randrange(len(other)) :]


_CHANGES = (_flip, _number, _cut, _remove, _repeat, _noise, _splice)
