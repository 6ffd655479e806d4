"""Sealed blobs: every part comes back as it was, and whatever is done to one is noticed."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import given, settings, strategies as st

from docrefinery.store.encryption.chunks import CHUNK, HEADER, SECRET, TAG, ChunkCipher, Opener, Part, Sealer
from docrefinery.store.encryption.errors import BlobDamaged

KEY = "tenant/documents/a.pdf"
AROUND = sorted({max(n * CHUNK + off, 0) for n in range(4) for off in (-17, -16, -1, 0, 1, 16, 17)})
"""Sizes and places about the borders of chunks."""
NOISE = os.urandom(4 * CHUNK)


def cipher(secret: bytes = bytes(SECRET), key: str = KEY) -> ChunkCipher:
    return ChunkCipher(secret, key)


def pieces(content: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


def sealed(content: bytes, *, piece: int = 10_000, **by: str | bytes) -> bytes:
    sealer = Sealer(cipher(**by))  # type: ignore[arg-type]
    return b"".join(map(sealer.update, pieces(content, piece))) + sealer.finish()


def opened(
    blob: bytes, size: int, start: int = 0, end: int | None = None, *, piece: int = 10_000, key: str = KEY
) -> bytes:
    """Return what is read of a stored blob, as the vault reads it."""
    part = Part(size, start, size if end is None else end)
    opener = Opener(cipher(key=key), part)
    read = b"".join(map(opener.update, pieces(blob[part.sealed_start : part.sealed_end], piece)))
    opener.finish()
    return read


@settings(max_examples=150, deadline=None)
@given(size=st.sampled_from(AROUND), written=st.integers(1, 2 * CHUNK), read=st.integers(1, 2 * CHUNK))
def test_every_size_comes_back_in_whatever_pieces_it_was_written_and_is_read(
    size: int, written: int, read: int
) -> None:
    # Pieces of a byte each would take a minute for nothing more.
    written, read = max(written, size // 500), max(read, size // 500)
    blob = sealed(NOISE[:size], piece=written)
    assert len(blob) == len(HEADER) + size + TAG * max(1, -(-size // CHUNK))
    assert opened(blob, size, piece=read) == NOISE[:size]


@settings(max_examples=400, deadline=None)
@given(data=st.data(), size=st.sampled_from([size for size in AROUND if size]), piece=st.integers(500, 2 * CHUNK))
def test_every_range_is_the_part_of_the_content(data: st.DataObject, size: int, piece: int) -> None:
    borders = st.sampled_from([place for place in AROUND if place <= size])
    start = data.draw((borders | st.integers(0, size)).filter(lambda place: place < size))
    end = data.draw((borders | st.integers(0, size)).filter(lambda place: place > start) | st.just(size))
    assert opened(sealed(NOISE[:size]), size, start, end, piece=piece) == NOISE[start:end]


def test_a_range_reads_no_more_than_its_chunks() -> None:
    part = Part(10 * CHUNK, 5 * CHUNK + 1, 5 * CHUNK + 2)
    assert part.sealed_end is not None
    assert part.sealed_end - part.sealed_start == CHUNK + TAG


@pytest.mark.parametrize("size", [0, 1, 40])
def test_every_flipped_bit_of_a_small_blob_is_noticed(size: int) -> None:
    blob = sealed(NOISE[:size])
    for place in range(len(blob)):
        for bit in range(8):
            flipped = bytearray(blob)
            flipped[place] ^= 1 << bit
            with pytest.raises(BlobDamaged):
                opened(bytes(flipped), size)


@pytest.mark.parametrize("size", [0, 1, 40])
def test_every_truncation_of_a_small_blob_is_noticed(size: int) -> None:
    blob = sealed(NOISE[:size])
    for length in range(len(blob)):
        with pytest.raises(BlobDamaged):
            opened(blob[:length], size)


@settings(max_examples=150, deadline=None)
@given(size=st.sampled_from(AROUND), data=st.data())
def test_a_flipped_byte_or_a_lost_end_of_a_larger_blob_is_noticed(size: int, data: st.DataObject) -> None:
    blob = sealed(NOISE[:size])
    place = data.draw(st.integers(0, len(blob) - 1))
    flipped = blob[:place] + bytes([blob[place] ^ 1]) + blob[place + 1 :]
    for damaged in (flipped, blob[:place]):
        with pytest.raises(BlobDamaged):
            opened(damaged, size)


@pytest.mark.parametrize("chunks", [1, 2, 3])
def test_a_blob_cut_at_the_border_of_a_chunk_is_noticed_whatever_its_row_says(chunks: int) -> None:
    blob = sealed(NOISE)
    cut = blob[: len(HEADER) + chunks * (CHUNK + TAG)]
    for size in (len(NOISE), chunks * CHUNK):
        with pytest.raises(BlobDamaged):
            opened(cut, size)


def test_whatever_is_added_is_noticed() -> None:
    blob = sealed(NOISE)
    for added in (b"\0", blob[-CHUNK - TAG :], blob):
        with pytest.raises(BlobDamaged):
            opened(blob + added, len(NOISE))


def test_chunks_in_another_order_or_twice_are_noticed() -> None:
    blob = sealed(NOISE)
    first, second, *rest = pieces(blob[len(HEADER) :], CHUNK + TAG)
    for chunks in ([second, first, *rest], [first, first, *rest], [first, *rest, rest[-1]]):
        with pytest.raises(BlobDamaged):
            opened(HEADER + b"".join(chunks), len(NOISE))


def test_a_chunk_of_another_blob_is_noticed_though_the_keys_were_the_same() -> None:
    ours, others = sealed(NOISE), sealed(NOISE, key="tenant/documents/b.pdf")
    border = len(HEADER) + CHUNK + TAG
    for swapped in (others, others[:border] + ours[border:]):
        with pytest.raises(BlobDamaged):
            opened(swapped, len(NOISE))


def test_no_byte_is_yielded_before_its_chunk_was_verified() -> None:
    blob = bytearray(sealed(NOISE))
    blob[len(HEADER) + CHUNK + TAG + 5] ^= 1
    opener = Opener(cipher(), Part(len(NOISE), 0, len(NOISE)))
    assert opener.update(bytes(blob[: len(HEADER) + 2 * CHUNK])) == NOISE[:CHUNK]
    with pytest.raises(BlobDamaged):
        opener.update(bytes(blob[len(HEADER) + 2 * CHUNK :]))
