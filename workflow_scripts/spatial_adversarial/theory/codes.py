"""Cyclic binary codes whose words lie far from their own shifts (section 3 of tradeoff and of cusp).

A word c of {-1, +1}^d generates the code of its d cyclic shifts. Two of them differ in (d - a) / 2 places, a
being the cyclic autocorrelation at the shift between them: a <= d / 4 off the peak is a relative distance
of at least 3/8.
"""

from functools import lru_cache

import numpy as np

RELATIVE_DISTANCE = 3 / 8  # what Proposition 1 asks for
SEARCHED = (8, 12, 16, 20)
BLOCK = 4096  # words tried at a time


def code_family(d: int) -> str:
    """Name the construction that gives a word of length d: "search", "Sidelnikov" or "m-sequence".

    Raises ValueError where none does.
    """
    if d in SEARCHED:
        return "search"
    if d >= 7 and (d + 1) & d == 0:
        return "m-sequence"
    if d >= 18 and _is_prime(d + 1):
        return "Sidelnikov"
    raise ValueError(
        f"no cyclic code of length d = {d}: take 8, 12, 16, 20, a prime minus 1 or a power of 2 minus 1"
    )


@lru_cache
def cyclic_code(d: int) -> np.ndarray:
    """Return a generator word, int64 [d] of -1 and +1, at relative distance >= 3/8, the same at each call.

    Raises ValueError where there is no construction for d.
    """
    word = {"search": _search, "Sidelnikov": _sidelnikov, "m-sequence": _m_sequence}[code_family(d)](d)
    word.setflags(write=False)  # the cache hands out one array
    return word


def autocorrelation(words: np.ndarray) -> np.ndarray:
    """Cyclic autocorrelations, int64 [..., d], of words [..., d]: at s, the sum over t of c_t c_(t+s)."""
    spectrum = np.fft.rfft(words, axis=-1)
    return np.rint(np.fft.irfft(np.abs(spectrum) ** 2, n=words.shape[-1], axis=-1)).astype(np.int64)


def relative_distance(word: np.ndarray) -> float:
    """Smallest share of places, in [0, 1], in which a word [d] differs from another of its cyclic shifts."""
    d = len(word)
    return float((d - autocorrelation(word)[1:].max()) / (2 * d))


def _search(d: int) -> np.ndarray:
    """First word, counting up in binary, whose off-peak autocorrelation is at most d / 4."""
    for start in range(0, 2**d, BLOCK):
        words = 1 - 2 * ((np.arange(start, min(start + BLOCK, 2**d))[:, None] >> np.arange(d)) & 1)
        near = autocorrelation(words)[:, 1:].max(axis=1)
        if near.min() <= d / 4:
            return words[np.argmax(near <= d / 4)]
    raise ValueError(f"no word of length d = {d} has relative distance 3/8")


def _sidelnikov(d: int) -> np.ndarray:
    """Sidelnikov's sequence for the prime q = d + 1: is g^t + 1 a square modulo q? (g a primitive root)."""
    q = d + 1
    powers = _powers_of_primitive_root(q)
    logarithm = np.empty(q, dtype=np.int64)
    logarithm[powers] = np.arange(d)
    logarithm[0] = 0  # g^t + 1 = 0 once in a period: either sign would do
    return 1 - 2 * (logarithm[(powers + 1) % q] % 2)


def _m_sequence(d: int) -> np.ndarray:
    """Period d = 2^k - 1 of a linear shift register, over the first feedback that reaches every state."""
    k = d.bit_length()
    for taps in range(1, 2**k, 2):
        bits, state = [], 1
        for _ in range(d):
            bits.append(state & 1)
            state = state >> 1 | ((state & taps).bit_count() & 1) << (k - 1)
            if state == 1:
                break
        if len(bits) == d:
            return 1 - 2 * np.array(bits)
    raise ValueError(f"no shift register of {k} bits has period d = {d}")


def _powers_of_primitive_root(q: int) -> np.ndarray:
    for root in range(2, q):
        powers = [1]
        while (following := powers[-1] * root % q) != 1:
            powers.append(following)
        if len(powers) == q - 1:
            return np.array(powers)
    raise ValueError(f"{q} has no primitive root")


def _is_prime(number: int) -> bool:
    return number > 1 and all(number % divisor for divisor in range(2, int(number**0.5) + 1))
