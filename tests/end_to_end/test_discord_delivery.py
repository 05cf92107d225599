"""What a reply looks like in Discord: quoted, quiet, with her face, whole however long it is."""

import pytest

from core import texts
from core.expression import Expression
from core.ports import Prompt
from core.tasks import EYES_MOUTH_POSE, OUTPUT_MESSAGE, face_text
from models.fakes import FakeLanguageModel, plain_rule
from tests.end_to_end.discord_house import ANSWER, House
from tests.end_to_end.discord_house import house as house
from tests.end_to_end.discord_server import Fault, Message, Permission, would_ping
from tests.end_to_end.serving import HesitantModel, answering

SMALL_ENOUGH_FOR_PHONES = 200_000
SMILE, PLAIN = Expression("크게", "아주 크게", "보통"), Expression()
LONG = {"turn": {"answer_tokens": 8192}}


def smiling(prompt: Prompt) -> str:
    """She smiles at every answer that says so."""
    if prompt.task == EYES_MOUTH_POSE.name:
        return f"{face_text(SMILE if '웃음' in prompt.text else PLAIN)} {prompt.stop}"
    if prompt.task == OUTPUT_MESSAGE.name:
        return f"{'웃음' if '웃어' in prompt.text else ANSWER} {prompt.stop}"
    return plain_rule(prompt)


async def test_a_reply_quotes_the_message_without_pinging_and_shows_her_face(house: House) -> None:
    async with house.served(FakeLanguageModel(smiling)):
        message = await house.server.say(house.person, house.channel, "로라야 웃어 봐")
        reply = await house.reply(message)
        assert (reply.content, reply.reference, would_ping(reply)) == ("웃음", message, set())
        [face] = reply.attachments
        assert face.filename == "aurora_eyes-wide_mouth-very-wide_pose-some.png"
        assert face.description == "오로라의 얼굴 (눈 크게, 입 아주 크게, 고개 돌림 보통)"
        assert (face.dimensions, face.content_type) == ((512, 512), "image/png")
        assert 0 < face.size <= SMALL_ENOUGH_FOR_PHONES
        assert face.data is not None
        assert SMILE.tag.encode() in face.data


async def test_alternative_text_is_in_the_language_of_the_place(house: House) -> None:
    async with house.served():
        await house.choose(language="en")
        [face] = (await house.chat("로라야 안녕")).attachments
        assert face.description == "오로라's face (eyes normal, mouth normal, head turn none)"


@pytest.mark.parametrize("language", ["ko", "en"])
async def test_who_never_met_her_is_told_once_what_she_is_and_what_is_kept(house: House, language: str) -> None:
    introduction = f"※ {texts.text(language, 'notice', 'introduction')}"
    async with house.served(strangers=True, language=language):
        assert (await house.chat("로라야 안녕")).content == f"{ANSWER}\n\n{introduction}"
    async with house.served(strangers=True, language=language):
        assert (await house.chat("로라야 또 안녕")).content == ANSWER
        direct = house.server.dm(house.guild.owner)
        await house.server.say(house.guild.owner, direct, "안녕")
        [first] = await house.spoken(direct)
        assert first.content == f"{ANSWER}\n\n{introduction}"


@pytest.mark.parametrize(
    ("images", "shown"), [("off", [0, 0, 0, 0]), ("change", [1, 0, 1, 1]), ("always", [1, 1, 1, 1])]
)
async def test_her_face_is_shown_as_the_server_wants_it(house: House, images: str, shown: list[int]) -> None:
    async with house.served(FakeLanguageModel(smiling)):
        await house.choose(images=images)
        replies = [await house.chat(f"로라야 {said}") for said in ("안녕", "잘 자", "웃어 봐", "이제 그만")]
        assert [len(reply.attachments) for reply in replies] == shown


async def test_her_face_changes_for_each_chat_by_itself(house: House) -> None:
    async with house.served():
        await house.choose(images="change")
        other = house.guild.channel("마당")
        await house.chat("로라야 안녕")
        elsewhere = await house.reply(await house.server.say(house.person, other, "로라야 안녕"))
        assert len(elsewhere.attachments) == 1


@pytest.mark.parametrize("where", ["channel", "direct chat", "slash command"])
async def test_a_long_answer_is_split_and_nothing_of_it_lost(house: House, where: str) -> None:
    answer = " ".join(f"{number}번째로 하고 싶은 말은 이거야." for number in range(300)).removeprefix("0")
    place = house.server.dm(house.person) if where == "direct chat" else house.channel
    async with house.served(FakeLanguageModel(answering(answer)), **LONG):
        if where == "slash command":
            await house.server.slash(house.person, place, "chat", options={"text": "길게"})
        else:
            await house.server.say(house.person, place, "로라야 길게")
        parts = await house.spoken(place, 4)
        assert all(part.content.endswith(".") for part in parts)
        assert " ".join(part.content for part in parts) == answer
        assert [len(part.attachments) for part in parts] == [1, 0, 0, 0]


async def test_a_code_fence_survives_a_split(house: House) -> None:
    lines = [f"print('{number:04} 번째 줄이야')" for number in range(200)]
    answer = "이렇게 해 봐!\n```py\n" + "\n".join(lines) + "\n```\n어때?"
    async with house.served(FakeLanguageModel(answering(answer)), **LONG):
        await house.server.say(house.person, house.channel, "로라야 코드")
        parts = [part.content for part in await house.spoken(house.channel, 3)]
        assert [part.count("```") for part in parts] == [2, 2, 2]
        assert all(part.startswith("```py\n") for part in parts[1:])
        assert [line for part in parts for line in part.split("\n") if line.startswith("print")] == lines


async def test_an_answer_of_nothing_visible_is_still_an_answer(house: House) -> None:
    async with house.served(FakeLanguageModel(answering("\u2800\u200d"))):
        assert (await house.chat("로라야 안녕")).content == "…"


async def test_a_reply_to_a_message_that_is_gone_by_then_is_an_ordinary_message(house: House) -> None:
    server = house.server
    server.faults.add(Fault("rate_limited", r"/messages$", "POST", times=None, retry_after=0.1))
    async with house.served():
        message = await server.say(house.person, house.channel, "로라야 안녕")
        await server.until(lambda: server.statuses[429])
        await server.delete(message)
        server.faults.clear()
        [reply] = await house.spoken(house.channel)
        assert (reply.content, reply.reference) == (ANSWER, None)


@pytest.mark.parametrize("denied", [Permission.ATTACH_FILES, Permission.READ_MESSAGE_HISTORY])
@pytest.mark.parametrize("waited", [False, True], ids=["at once", "after a wait"])
async def test_a_reply_goes_without_what_she_is_not_allowed(house: House, denied: Permission, waited: bool) -> None:
    house.channel.deny(denied)
    reply = await answered(house, waited)
    assert len(reply.attachments) == (denied is not Permission.ATTACH_FILES)
    assert (reply.reference is not None) == (denied is not Permission.READ_MESSAGE_HISTORY)


@pytest.mark.parametrize("refused", [Permission.ATTACH_FILES, Permission.READ_MESSAGE_HISTORY])
@pytest.mark.parametrize("waited", [False, True], ids=["at once", "after a wait"])
async def test_a_refusal_that_nobody_announced_does_not_lose_the_answer(
    house: House, refused: Permission, waited: bool
) -> None:
    house.channel.refuse(refused)
    await answered(house, waited)


async def answered(house: House, waited: bool) -> Message:
    """Her one reply, at once or in the place of a note that it takes a while."""
    model = HesitantModel()
    async with house.served(model, turn={"patience_s": 0.05 if waited else 60}):
        await house.server.say(house.person, house.channel, "로라야 안녕")
        if waited:
            await house.spoken(house.channel)
        model.let.set()
        await house.server.until(lambda: any(one.content == ANSWER for one in house.hers(house.channel)))
        [reply] = house.hers(house.channel)
        assert would_ping(reply) == set()
        return reply
