"""Texts: their words become numbers, exactly as `keras.layers.TextVectorization` makes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from evonas.data.arrays import Arrays
from evonas.data.encodings.encoding import Encoding
from evonas.data.raw import Array, RawSamples
from evonas.errors import Issue
from evonas.genome.strict_yaml import short
from evonas.learning.input_spec import Fitted
from evonas.words import counted

PADDING, UNKNOWN, FIRST = 0, 1, 2
"""Numbers of what is behind the last word, of a word without a number, and of the first word."""

PUNCTUATION = b"!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'"
"""What Keras strips: the punctuation of ASCII."""

MOST_WORDS = 20_000
"""The most words that have a number of their own."""

FEW = 2
"""The fewest occurrences of a word that has one. From the others, the unknown word is learned."""

LENGTH_SHARE = 0.99
"""The part of the training texts that are not cut."""

LONGEST = 400
"""The most words of a text that networks see."""


class Text(Encoding):
    """Stored samples are (n, length), the numbers of the first words, 0 behind the last one.

    Letters become small, but only those of ASCII: Keras leaves `Ä` as it is. Punctuation is taken
    out, so that `don't` is `dont`. What is left is split at spaces of ASCII. The words of the
    training part that occur twice have the numbers from 2 on, the most frequent one first. All
    others have 1.

    Fitted are `vocabulary`, the words in the order of their numbers, and `length`.
    """

    name = "text"

    def takes(self, x: RawSamples, kind: str) -> bool:
        # Numbers are taken, too, to be refused: nobody knows which words they stand for.
        return kind == "text" and isinstance(x, np.ndarray)

    def words(self, fitted: Fitted) -> int:
        return len(fitted["vocabulary"]) + FIRST

    def issues(self, arrays: Arrays, kind: str) -> list[Issue]:
        found = []
        for key, texts in arrays.samples().items():
            found += _issues(texts, key, arrays.origin)
        x = arrays.x
        if found or not isinstance(x, np.ndarray):
            return found
        if len(_vocabulary(x)) == 0:
            message = "must be texts in which words come again: no word occurs twice."
            message = f"{message} The first is {short(str(x[0]))!r}."
            found.append(Issue(message, "x", arrays.origin))
        return found

    def notes(self, arrays: Arrays, kind: str, fitted: Fitted) -> tuple[str, ...]:
        length = fitted["length"]
        known = set(fitted["vocabulary"])
        lengths = []
        unknown = 0
        for text in _texts(arrays.x):
            found = words(text)
            lengths.append(len(found))
            unknown += sum(word not in known for word in found)
        share = unknown / max(1, sum(lengths))
        notes = [
            f"x: texts of {counted(int(np.median(lengths)), 'word')} in the median. Networks know"
            f" {len(known):,} words of the training part; {share:.1%} of all words are others."
        ]
        cut = sum(one > length for one in lengths)
        if cut:
            texts = counted(cut, "text")
            notes.append(
                f"x: {texts} of {len(lengths):,} have more than {length} words, of which networks"
                f" see the first {length}; the longest has {max(lengths):,}."
            )
        empty = lengths.count(0)
        if empty:
            notes.append(f"x: {counted(empty, 'text')} of {len(lengths):,} without any word.")
        return tuple(notes)

    def fit(self, train: RawSamples) -> Fitted:
        lengths = [len(words(text)) for text in _texts(train)]
        length = int(np.ceil(np.quantile(lengths, LENGTH_SHARE)))
        return {"vocabulary": _vocabulary(train), "length": min(max(1, length), LONGEST)}

    def encode(self, x: RawSamples, fitted: Fitted) -> Array:
        numbers = {word: number for number, word in enumerate(fitted["vocabulary"], FIRST)}
        length = fitted["length"]
        stored = np.full((len(x), length), PADDING, np.int32)
        for row, text in zip(stored, _texts(x), strict=True):
            found = words(text)[:length]
            row[: len(found)] = [numbers.get(word, UNKNOWN) for word in found]
        return stored

    def dtype(self, found: Iterable[RawSamples]) -> np.dtype[np.generic]:
        return np.dtype(np.int32)


def words(text: str) -> list[str]:
    """The words of a text, as Keras finds them."""
    # Bytes know ASCII only, as the ops of TensorFlow do. No letter of UTF-8 has bytes of ASCII.
    plain = text.encode().lower().translate(None, PUNCTUATION)
    return [word.decode() for word in plain.split()]


def _texts(x: RawSamples) -> list[str]:
    assert isinstance(x, np.ndarray), "others are not taken"
    found: list[str] = x.tolist()
    return found


def _vocabulary(x: RawSamples) -> tuple[str, ...]:
    """The words that occur twice, the most frequent one first."""
    counts: Counter[str] = Counter()
    for text in _texts(x):
        counts.update(words(text))
    # Words that are equally frequent come in the order of their letters.
    ordered = sorted(counts, key=lambda word: (-counts[word], word))
    return tuple(word for word in ordered if counts[word] >= FEW)[:MOST_WORDS]


def _issues(texts: object, key: str, origin: str) -> list[Issue]:
    """What is no text that Keras could be given."""
    if not isinstance(texts, np.ndarray) or texts.dtype.kind not in "UT":
        received = texts.dtype if isinstance(texts, np.ndarray) else type(texts).__name__
        message = "must be texts, an array of strings (n,), for a space that takes texts."
        message = f"{message} Received: {received}."
        if isinstance(texts, np.ndarray) and texts.dtype.kind in "iu":
            message = f"{message} If they are ids of words, give the texts themselves."
        return [Issue(message, key, origin)]
    if texts.ndim != 1:
        message = f"must have one axis, a text a sample. Received: shape {texts.shape}."
        return [Issue(message, key, origin)]
    for number, text in enumerate(_texts(texts)):
        try:
            text.encode()
        except UnicodeEncodeError as error:
            message = (
                f"holds half of a letter in sample {number} (counted from 0), at its letter"
                f" {error.start}: a lone surrogate, which UTF-8 does not have."
            )
            return [Issue(message, key, origin)]
    if len(texts) > 1 and (texts == texts[0]).all():
        message = (
            f"needs texts that differ. Received: {len(texts):,} times {short(str(texts[0]))!r}."
        )
        return [Issue(message, key, origin)]
    return []
