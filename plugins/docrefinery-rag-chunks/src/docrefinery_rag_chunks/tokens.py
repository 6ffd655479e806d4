"""An estimate of how many tokens a text has, for which nothing needs to be downloaded."""

import re

from docling_core.transforms.chunker.tokenizer.base import BaseTokenizer

MOST_TOKENS = 512
"""What the smallest of the usual embedding models takes."""

_BYTES = 4
_WORD_OR_SIGN = re.compile(r"\w+|[^\w\s]")


def count(text: str) -> int:
    """Return the estimate: a word counts one for every four bytes of UTF-8 begun, any other sign one.

    That is on the safe side of the tokenizers of the usual models, and grows as theirs do for scripts beyond Latin.
    """
    return sum(-(-len(piece.encode(errors="replace")) // _BYTES) for piece in _WORD_OR_SIGN.findall(text))


class Estimate(BaseTokenizer):
    """The estimate as Docling's chunkers want it."""

    def count_tokens(self, text: str) -> int:
        """Return how many tokens a text has."""
        return count(text)

    def get_max_tokens(self) -> int:
        """Return how many a chunk may have."""
        return MOST_TOKENS

    def get_tokenizer(self) -> object:
        """Return what counts."""
        return count
