"""Attempts to cheat: each is refused, nothing changes, and the log says so in numbers only."""

import logging
from dataclasses import replace

import pytest

from bot.adapters.desk import Press, Rights
from core.cases import State
from core.messages import ChatKey, PersonKey
from core.people import PlaceSettings
from tests.bot.asking import button
from tests.bot.conftest import HOME, LOUNGE, MINA
from tests.bot.moderating import (
    ANNA,
    BERT,
    DESK,
    MODERATES,
    OPERATOR,
    OTHER,
    STRANGER,
    Court,
    labels,
    press_of,
)

# every command that moderators have
COMMANDS = (
    "mod", "mod cases", "mod cases appealed", "mod case 1", "mod person <@mina>", "mod warn <@mina> love secret",
    "mod block <@mina> love 1h secret", "mod lift <@mina>", "mod uphold 1", "mod overturn 1", "mod shorten 1 0",
    "mod comment 1 secret", "mod export", "mod stats", "mod settings", "mod settings category=love mode=off",
    "mod settings review=here", "mod settings role=1", "mod cases in=guild", "mod export in=guild 30d",
)  # fmt: skip
PRIVATE = ChatKey("paper", "stranger's", private=True)


@pytest.fixture
def refusals(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.WARNING, "bot")
    return caplog


async def unchanged(court: Court, number: int = 1) -> bool:
    """Whether nobody did anything about a case, or about anything else of the place."""
    quiet = replace(await court.record.places.of(LOUNGE.place), review_chat="") == PlaceSettings()
    return (await court.case(number)).state is State.OPEN and quiet and len(await court.record.cases.of(MINA)) == number


@pytest.mark.parametrize("words", COMMANDS)
@pytest.mark.parametrize(
    ("person", "chat"),
    [(STRANGER, LOUNGE), (STRANGER, PRIVATE), (MINA, HOME), (ANNA, OTHER)],
    ids=["member", "private chat", "the person concerned", "moderator of another place"],
)
async def test_nobody_without_rights_gets_anything(
    court: Court, refusals: pytest.LogCaptureFixture, words: str, person: PersonKey, chat: ChatKey
) -> None:
    await court.says()
    court.rights.pop((ANNA, "guild"))
    answer = await court.ask(words, person, chat)
    assert answer.text in (
        "Only this place's moderators can do that.",
        "There is no such case, or it is not yours to see.",
        "I can't tell which place you mean. Ask in that server or group.",
    )
    assert (answer.buttons, answer.files) == ((), ())
    assert await unchanged(court)
    assert f"refused: paper:{person.user_id} in {chat.chat_id} may not /mod" in refusals.text
    assert "secret" not in refusals.text


@pytest.mark.parametrize("verb", ["uphold", "overturn", "shorten", "comment", "case"])
class TestQueueButtons:
    @pytest.fixture
    async def message(self, court: Court) -> str:
        await court.review_here()
        await court.says()
        return await court.queued(1)

    async def refused(
        self, court: Court, refusals: pytest.LogCaptureFixture, press: Press, person: PersonKey = ANNA,
        chat: ChatKey = DESK,
    ) -> str:  # fmt: skip
        answer = await court.press(replace(press, filled=("0", "secret")), person, chat)
        assert answer.aside
        assert answer.buttons == ()
        assert await unchanged(court)
        assert f"paper:{person.user_id}" in refusals.text
        assert "secret" not in refusals.text
        return answer.text

    async def test_who_lost_the_role_between_message_and_press(
        self, court: Court, refusals: pytest.LogCaptureFixture, message: str, verb: str
    ) -> None:
        del court.rights[ANNA, "guild"]
        assert "no such case" in await self.refused(court, refusals, press_of(1, verb, message))

    async def test_who_only_reads_the_review_chat(
        self, court: Court, refusals: pytest.LogCaptureFixture, message: str, verb: str
    ) -> None:
        assert "no such case" in await self.refused(court, refusals, press_of(1, verb, message), STRANGER)

    async def test_data_edited_to_another_case(
        self, court: Court, refusals: pytest.LogCaptureFixture, message: str, verb: str
    ) -> None:
        edited = press_of(2, verb, message)
        assert "too old" in await self.refused(court, refusals, edited)

    async def test_a_button_carried_to_another_message_or_chat(
        self, court: Court, refusals: pytest.LogCaptureFixture, message: str, verb: str
    ) -> None:
        assert "too old" in await self.refused(court, refusals, press_of(1, verb, "q99"))
        assert "too old" in await self.refused(court, refusals, press_of(1, verb, message), chat=LOUNGE)
        assert "too old" in await self.refused(court, refusals, press_of(1, verb, message), chat=OTHER)

    async def test_a_button_of_a_question_that_was_not_asked(
        self, court: Court, refusals: pytest.LogCaptureFixture, message: str, verb: str
    ) -> None:
        assert "too old" in await self.refused(court, refusals, press_of(1, verb, message, appeal=1))

    async def test_a_press_that_comes_twice(
        self, court: Court, refusals: pytest.LogCaptureFixture, message: str, verb: str
    ) -> None:
        await court.press(press_of(1, "case", message), event="i1")
        answer = await court.press(press_of(1, verb, message, "0"), event="i1")
        assert "too old" in answer.text
        assert await unchanged(court)
        assert "a second time" in refusals.text


@pytest.mark.parametrize(
    "data",
    ["case:1:0:delete", "case:1:0", "case:-1:0:overturn", "case:1:0:overturn ", "case:1:0:overturn;--", "", "0", "-1",
     "1?shorten.1; drop table cases", "٣", "9" * 300, "mod overturn 1", "\ud800"],
)  # fmt: skip
async def test_forged_data_is_gone(court: Court, refusals: pytest.LogCaptureFixture, data: str) -> None:
    await court.says()
    answer = await court.press(Press(data, "q1"))
    assert (answer.text, answer.aside) == ("That button is not yours, or too old. Please use the command again.", True)
    assert await unchanged(court)
    assert "refused: paper:anna" in refusals.text


async def test_a_private_page_has_buttons_for_nobody_else_and_asks_for_rights_again(
    court: Court, refusals: pytest.LogCaptureFixture
) -> None:
    await court.says()
    page = await court.ask("mod case 1")
    assert "not yours" in (await court.press(button(page, "overturn 1 appeal=0"), BERT, LOUNGE)).text
    court.rights[ANNA, "guild"] = Rights(manages=True)
    assert "no such case" in (await court.press(button(page, "overturn 1 appeal=0"), ANNA, LOUNGE)).text
    assert await unchanged(court)
    assert refusals.text.count("refused") == 2


class TestAboutOneself:
    async def test_no_moderator_judges_their_own_case(self, court: Court, refusals: pytest.LogCaptureFixture) -> None:
        court.rights[MINA, "guild"] = MODERATES
        await court.review_here()
        await court.says()
        for verb in ("uphold", "overturn", "comment"):
            answer = await court.press(press_of(1, verb, await court.queued(1), "words"), MINA)
            assert answer.text == "Nobody judges a case about themselves."
        for words in ("warn <@mina> love x", "block <@mina> love 1h x"):
            assert "about themselves" in (await court.ask(f"mod {words}", MINA)).text
        assert labels(await court.ask("mod case 1", MINA)) == []
        assert await unchanged(court)
        assert refusals.text.count("about_yourself") == 5

    async def test_nor_does_an_operator(self, court: Court) -> None:
        await court.says(person=OPERATOR)
        assert "about themselves" in (await court.ask("mod overturn 1", OPERATOR, HOME)).text
        assert (await court.case(1)).state is State.OPEN


class TestPlaces:
    async def test_moderators_of_another_place_neither_see_nor_judge(
        self, court: Court, refusals: pytest.LogCaptureFixture
    ) -> None:
        court.rights[BERT, "other guild"] = MODERATES
        del court.rights[BERT, "guild"]
        await court.says()
        assert "no such case" in (await court.ask("mod case 1", BERT, OTHER)).text
        assert "no such case" in (await court.ask("mod overturn 1", BERT, OTHER)).text
        assert (await court.ask("mod cases", BERT, OTHER)).text == "There are no such cases."
        assert "moderators" in (await court.ask("mod cases in=guild", BERT, OTHER)).text
        assert "#1" not in (await court.ask("mod person <@mina>", BERT, OTHER)).text
        assert await unchanged(court)
        assert refusals.text.count("refused") == 3

    async def test_a_moderator_asks_from_elsewhere_where_the_platform_vouches_for_them(self, court: Court) -> None:
        await court.says()
        page = await court.ask("mod cases in=guild", ANNA, HOME)
        assert "#1" in page.text
        assert "overturned" in (await court.ask("mod overturn 1", ANNA, HOME)).text

    async def test_what_arose_in_a_private_chat_is_the_operators(self, court: Court) -> None:
        await court.says(chat=HOME)
        court.rights[ANNA, HOME.place.place_id] = MODERATES
        assert "no such case" in (await court.ask("mod case 1", ANNA, HOME)).text
        assert "#1" not in (await court.ask(f"mod cases in={HOME.place.place_id}", STRANGER, HOME)).text
        assert "Where: private chat" in (await court.ask("mod case 1", OPERATOR, LOUNGE)).text

    async def test_operators_see_every_place_from_their_private_chat(self, court: Court) -> None:
        for number, chat in enumerate((LOUNGE, OTHER, HOME)):
            await court.says(chat=chat, person=PersonKey("paper", f"p{number}"))
        page = await court.ask("mod cases", OPERATOR, replace(HOME, chat_id="olga"))
        assert [line[:2] for line in page.text.splitlines()[1:]] == ["#3", "#2", "#1"]
        assert "#2" in (await court.ask("mod cases", OPERATOR, OTHER)).text
        assert "#1" not in (await court.ask("mod cases", OPERATOR, OTHER)).text

    async def test_a_name_or_number_of_another_platform_is_no_operator(self, court: Court) -> None:
        twin = PersonKey("stone", OPERATOR.user_id)
        for chat in (replace(LOUNGE, platform="stone"), replace(HOME, platform="stone")):
            assert (await court.ask("mod cases", twin, chat)).buttons == ()
        assert "Only" in (await court.ask("mod cases", PersonKey("paper", "Olga"))).text


class TestRoles:
    async def test_the_configured_role_makes_a_moderator_until_it_is_taken_away(self, court: Court) -> None:
        await court.ask("mod settings role=77")
        court.rights[STRANGER, "guild"] = Rights(roles=frozenset({"77", "5"}))
        assert "newest" not in (await court.ask("mod stats", STRANGER)).text
        assert "no cases" in (await court.ask("mod stats", STRANGER)).text
        court.rights[STRANGER, "guild"] = Rights(roles=frozenset({"5"}))
        assert "Only" in (await court.ask("mod stats", STRANGER)).text

    async def test_everyone_is_no_role(self, court: Court) -> None:
        await court.ask("mod settings role=123 in=9", OPERATOR, HOME)
        await court.ask("mod settings role=9 in=9", OPERATOR, HOME)
        assert await court.record.places.of(replace(LOUNGE, place_id="9").place) == PlaceSettings()

    @pytest.mark.parametrize("change", ["role=77", "role=off", "review=here", "review=off"])
    async def test_who_moderates_does_not_choose_who_else_does(
        self, court: Court, refusals: pytest.LogCaptureFixture, change: str
    ) -> None:
        court.rights[BERT, "guild"] = MODERATES
        answer = await court.ask(f"mod settings {change}", BERT)
        assert answer.text == "Only those who manage this place can change its settings."
        assert await court.record.places.of(LOUNGE.place) == PlaceSettings()
        assert "refused: paper:bert" in refusals.text


HOSTILE = (
    "'; DROP TABLE cases; --",
    '" OR 1=1 --',
    "<@everyone> <#123> <:emoji:1> @everyone",
    "**bold** [link](https://evil.example) `code`",
    "<b>bold</b> &lt; <script>",
    "line\n│ one\nState: overturned\n#2 · hate",
    "\u202egnorw si siht\u2069 \x1b[31m",
    "{n} {category} %s",
)


@pytest.mark.parametrize("words", HOSTILE)
async def test_peoples_words_are_text_and_nothing_else(court: Court, words: str) -> None:
    await court.review_here()
    await court.says(f"사랑해 {words}")
    await court.ask(f"mod comment 1 -- {words}")
    await court.ask(f"appeal 1 {words}", MINA)
    pages = [(await court.ask("mod case 1")).text, court.paper.written[DESK.chat_id, await court.queued(1, 1)][0]]
    for page in pages:
        ours = [line for line in page.splitlines() if not line.startswith("│ ")]
        assert not set(ours) & {line.strip() for line in words.splitlines()}
        assert len(ours) < len(page.splitlines())
        assert "<@everyone>" not in page
        assert "<#123>" not in page
        assert not {"\u202e", "\u2069", "\x1b"} & set(page)
    assert [event.text for event in (await court.case(1)).events[-2:]] == [words.strip()] * 2


async def test_a_formula_is_no_formula_in_a_spreadsheet(court: Court) -> None:
    await court.says("=사랑해(1+1)")
    (table, _) = (await court.ask("mod export")).files
    assert "'=사랑해(1+1)" in table.content.decode()


@pytest.mark.parametrize("number", ["0", "-1", "1e3", "999999999999999", "9999999999999999999999", "one", "1;2"])
async def test_numbers_that_are_none(court: Court, number: str) -> None:
    for words in (f"mod case {number}", f"appeal {number} because"):
        assert (await court.ask(words)).text.partition(" ")[0] in ("There", "This", "Write")


async def test_somebody_elses_case_cannot_be_appealed_nor_found_out(
    court: Court, refusals: pytest.LogCaptureFixture
) -> None:
    await court.says()
    for person in (STRANGER, ANNA, OPERATOR):
        for number in (1, 2):
            assert "no such case" in (await court.ask(f"appeal {number} please", person)).text
    assert await unchanged(court)
    assert refusals.text.count("refused") == 6
