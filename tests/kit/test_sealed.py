"""What is sealed inside JSON comes back as it was, whatever people write."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kefu.kit.sealed import UNREADABLE, is_sealed, opened, opened_json, seal_fields
from kefu.kit.secrets import Sealer

SEALER, OTHER = Sealer(["one"]), Sealer(["another"])
TOKEN = SEALER.seal("a secret")
# Among them what is like a sealed text, and is none.
TEXTS = st.one_of(st.text(), st.sampled_from([TOKEN, f'{{"sealed":"{TOKEN}"}}', '{"sealed": "x"}', "gAAAA", '"']))
CUSTOMERS = st.fixed_dictionaries({"id": TEXTS, "email": st.none() | TEXTS, "phone": st.none() | TEXTS})
FACTS = st.fixed_dictionaries({"content": TEXTS, "email": TEXTS}, optional={"customer": st.none() | CUSTOMERS})
PATHS = ("email", "customer.id", "customer.email", "customer.phone", "nobody.knows")


@settings(max_examples=60)
@given(FACTS)
def test_facts_with_sealed_texts_are_opened_to_what_they_were(facts: dict[str, Any]) -> None:
    sealed = json.dumps(seal_fields(facts, PATHS, SEALER.seal))
    assert json.loads(opened_json(sealed, lambda: SEALER)) == facts
    lost = json.loads(opened_json(sealed, lambda: OTHER))
    assert (lost["email"], lost["content"]) == (UNREADABLE, facts["content"])


def test_a_text_is_known_to_be_sealed_by_its_look_and_anything_else_stays() -> None:
    assert is_sealed(SEALER.seal(""))
    for plain in ("", "anna@example.com", "gAAAA", f"{TOKEN} "):
        assert opened(plain, lambda: SEALER) == plain
