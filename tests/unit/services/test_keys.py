"""How API keys look."""

import re

from hypothesis import given, strategies as st

from docrefinery.services.keys import _FORMAT, _checksum, new_key


def test_key_has_a_prefix_160_random_bits_and_a_checksum() -> None:
    made = new_key()
    match = re.fullmatch(r"dr_([a-z2-7]{10})_([a-z2-7]{32})([a-z2-7]{7})", made.key)
    assert match is not None
    assert match[1] == made.prefix
    assert len(made.secret_sha256) == 32


def test_no_two_keys_are_alike() -> None:
    keys = [new_key() for _ in range(200)]
    assert len({key.prefix for key in keys}) == len({key.secret_sha256 for key in keys}) == 200


@given(st.integers(0, 45), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_one_wrong_character_is_noticed_without_the_database(position: int, character: str) -> None:
    key = new_key().key
    wrong = key[:position] + character + key[position + 1 :]
    match = _FORMAT.fullmatch(wrong)
    assert wrong == key or match is None or _checksum(wrong[:-7]) != match["checksum"]
