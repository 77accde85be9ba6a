"""`python -m evals.run` asks whoever answers by the same questions, and does not report on who was away."""

import re
from pathlib import Path

import pytest
from evals.run import LANGUAGES, Asked, ask, away, goldens, report, thinned

from ai.openai_wire import openai
from ai.provider import OWN, Heard, Reply, answers, provider
from kefu.kit.config import Settings
from kefu.quality.scoring import scores

FIRST = re.compile(r"passage 1»\n[^\n]*\n\n(.*?[.。!！])(?:\s|$)?", re.DOTALL)


async def reads_out(heard: Heard, reply: Reply) -> None:
    """A model that says the beginning of the first passage, whatever is asked."""
    found = FIRST.search(heard.body["messages"][1]["content"])
    await reply.stream(openai([f"{found[1]} [1]" if found else "NO_ANSWER"]))


@pytest.fixture(scope="module")
def questions() -> list[Asked]:
    return [one for lang in LANGUAGES for one in thinned([q for q in goldens() if q.golden.lang == lang], 18)]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_model_and_a_script_are_judged_as_the_builtin_bot_is(
    tmp_path: Path, settings: Settings, questions: list[Asked]
) -> None:
    url = f"sqlite:///{tmp_path}/evals.db"
    async with provider(reads_out) as there:
        chosen = {"ai_provider": "custom", "ai_url": there.url, "ai_model": "gpt-4o-mini", "outbound_allow": OWN}
        model = Settings(**settings.model_dump() | chosen)
        result = await ask(url, questions, "model", model)
        assert 0 < len(there.heard) < len(questions), "where nothing is found, nobody is asked"
        there.scripts[:] = [answers({"error": {"message": "No money left", "code": "insufficient_quota"}}, 429)]
        refused = await ask(url, questions, "model", model)
    assert not away(questions, result.outcomes)
    assert (result.tokens, result.cost > 0) == (
        30 * len([one for one in result.outcomes if one.provider == "custom"]),
        True,
    )
    builtin, script = [await ask(url, questions, who) for who in ("builtin", "scripted")]
    read_out, found, said = (scores(one.outcomes) for one in (result, builtin, script))
    assert read_out["recall_3"] == found["recall_3"], "both look things up in the same way"
    assert read_out["citation"].value > 0.8
    assert read_out["refusal"].value < found["refusal"].value, "it refuses nothing that has a passage"
    assert said["recall_3"].value == said["refusal"].value == 0
    assert {one["escalation_f1"].value for one in (read_out, found, said)} == {found["escalation_f1"].value}
    text, facts = report("gpt-4o-mini", questions, result, None)
    assert "# gpt-4o-mini on the golden questions" in text
    assert any("refusal" in one for one in facts["weaknesses"])
    assert "custom: denied" in away(questions, refused.outcomes)
