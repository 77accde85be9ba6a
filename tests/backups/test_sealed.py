"""A sealed stream is what was written, or it is refused."""

import io
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kefu.backups.sealed import CHUNK, MAGIC, SALT, TAG, Damaged, Key, Reader, Sealed, opened

KEY = Key("8f0c2a61d97e4b35a1c6e08d52f7b94310aa5c7d2e9f4b68")


def sealed(data: bytes, name: str = "one", key: Key = KEY) -> bytes:
    out = io.BytesIO()
    into = Sealed(out, key, name)
    for start in range(0, len(data), 50_000):
        into.write(data[start : start + 50_000])
    into.end()
    assert into.size == len(out.getvalue())
    return out.getvalue()


def read(stream: bytes, name: str = "one", key: Key = KEY) -> bytes:
    return b"".join(opened(io.BytesIO(stream), key, name))


@pytest.mark.parametrize("size", [0, 1, CHUNK - 12, CHUNK, 3 * CHUNK + 7])
def test_it_comes_back_as_it_was(size: int) -> None:
    for data in (os.urandom(size), b"x" * size):
        stream = sealed(data)
        assert read(stream) == data
        with io.BufferedReader(Reader(opened(io.BytesIO(stream), KEY, "one"))) as reader:
            assert reader.read() == data


THREE = sealed(os.urandom(3 * CHUNK))
HEAD = len(MAGIC) + SALT
CHUNKS = [THREE[start : start + CHUNK + TAG] for start in range(HEAD, len(THREE), CHUNK + TAG)]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, len(THREE) - 1), st.integers(1, 255))
def test_any_changed_byte_is_found(place: int, by: int) -> None:
    changed = bytearray(THREE)
    changed[place] ^= by
    with pytest.raises(Damaged):
        read(bytes(changed))


def test_what_was_cut_or_exchanged_is_found() -> None:
    head = THREE[:HEAD]
    for stream in (
        b"",
        head[:-1],
        head,
        head + CHUNKS[0],
        head + b"".join(CHUNKS[:-1]),
        head + b"".join([CHUNKS[1], CHUNKS[0], *CHUNKS[2:]]),
        head + b"".join([*CHUNKS, CHUNKS[-1]]),
        THREE + b"x",
        THREE[:-1],
    ):
        with pytest.raises(Damaged):
            read(stream)


def test_none_opens_under_another_name_or_key() -> None:
    stream = sealed(b"text")
    for name, key in (("two", KEY), ("one", Key("another key that is long enough to be one"))):
        with pytest.raises(Damaged):
            read(stream, name, key)
    assert sealed(b"text") != stream
