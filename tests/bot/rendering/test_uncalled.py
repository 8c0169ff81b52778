"""What is said in several channels notifies people by the first message only."""

from hypothesis import given
from hypothesis import strategies as st

from bot.rendering import blocks, limits
from bot.rendering.escape import clean
from bot.rendering.phrase import Person, Phrase, Strong, mrkdwn
from bot.rendering.uncalled import calling_nobody
from bot.rendering.views import Message
from tests.bot.rendering.checks import check

TOLD: Phrase = ("Moved · accepted by ", Person("U0ALICE"), ", and ", Person("U0BOB"), Strong(" too"))


def message(*more: str) -> Message:
    phrase = (*TOLD, *more)
    return Message(
        text=mrkdwn(phrase, limits.MESSAGE_TEXT_BYTES),
        blocks=(blocks.paragraph(phrase), blocks.bullets([(phrase, [phrase])])),
        compact=(blocks.mrkdwn_section(phrase),),
    )


def test_people_are_named_and_not_called() -> None:
    told = calling_nobody(message(), {"U0ALICE": "Alice <@U0EVE>"})
    assert told.text == "Moved · accepted by Alice &lt;@U0EVE&gt;, and somebody too"
    assert "U0ALICE" not in str(told)
    assert '"user"' not in str(told.blocks).replace("'", '"')
    assert told.compact[0]["text"]["text"] == told.text


@given(name=st.text(max_size=200), more=st.text(max_size=4000))
def test_slack_takes_it_whatever_they_are_called(name: str, more: str) -> None:
    told = calling_nobody(message(clean(more)), {"U0ALICE": name, "U0BOB": name})
    check(told)
