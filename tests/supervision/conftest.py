"""The bot of these tests answers as its question says."""

import pytest

from kefu.answering.ports import Answerer
from supervision.watched import ToldAnswerer


@pytest.fixture
def answerer() -> Answerer:
    return ToldAnswerer()
