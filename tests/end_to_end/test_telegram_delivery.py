"""What a reply looks like in Telegram: whole, in its place, with her face where that is possible."""

import unicodedata

import pytest

from core.messages import Reply
from tests.end_to_end.telegram_house import ANSWER, FACE, Begun, House, heard, joined, opened, packed, post, said
from tests.end_to_end.telegram_house import house as house
from tests.end_to_end.telegram_server import Message, units

CAPTION, TEXT = 1024, 4096
FAMILY = "👨‍👩‍👧‍👦"

# What is written


HOSTILE = [
    "<b>굵게</b> & <script>", "_*[~`>#+-=|{}.!", "\u202e거꾸로\u202c", "\u200b보이\u200d지 않는", "줄\n\n\n바꿈\t\0끝",
    "https://example.org/ @everyone #태그 /memory", "\ud83d 반쪽", FAMILY * 20, "가" * CAPTION, "가" * (CAPTION + 1),
    "😀" * (CAPTION // 2), "😀" * (CAPTION // 2) + "!", "나" * TEXT, "나" * (TEXT + 1), "😀" * (TEXT // 2) + "끝",
    "낱말 " * 3000, "a" * 10_000, "문장이다. " * 1500,
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
async def test_whatever_she_says_arrives_whole_and_as_it_is(house: House, text: str) -> None:
    expected = packed("".join(one for one in text if unicodedata.category(one) not in ("Cc", "Cs")))
    async with opened(house) as (adapter, _):
        for face in (FACE, None):
            shown = await post(house, adapter, await said(house, house.private), text, expression=face)
            assert joined(shown) == expected
            assert bool(shown[0].photo) == (face is not None)
            assert bool(shown[0].caption) == (face is not None and units(text) <= CAPTION)
            assert all(one.entities is None for one in shown)


async def test_an_answer_of_nothing_visible_is_still_an_answer(house: House) -> None:
    async with opened(house) as (adapter, _):
        for text in ("\u200b\u2060", "\u202e", "\u3164"):
            (dots,) = await post(house, adapter, await said(house, house.private), text)
            (face,) = await post(house, adapter, await said(house, house.private), text, expression=FACE)
            assert (dots.text, face.caption) == ("…", None)
            assert face.photo is not None


async def test_only_the_first_message_of_a_long_reply_shows_what_it_answers(house: House) -> None:
    async with opened(house) as (adapter, _):
        message = await said(house, house.group)
        photo, first, second = await post(house, adapter, message, "말 " * 3000, expression=FACE)
        assert str(photo.reply_to.id if photo.reply_to else 0) == message.message_id
        assert (first.reply_to, second.reply_to) == (None, None)


async def test_a_reply_to_a_deleted_message_arrives_all_the_same(house: House) -> None:
    async with opened(house) as (adapter, _):
        gone = Message(house.group, house.person, deleted=True)
        (reply,) = await post(house, adapter, heard(house, gone), ANSWER)
        assert reply.reply_to is None


async def test_a_long_reply_stays_in_its_topic(house: House) -> None:
    forum = house.server.group("광장", forum=True, members=[house.person])
    topic = forum.topic("음악")
    async with opened(house) as (adapter, _):
        message = heard(house, Message(forum, house.person, topic=topic), topic)
        shown = await post(house, adapter, message, "말 " * 3000, expression=FACE)
        assert [one.topic for one in shown] == [topic] * 3


async def test_a_group_that_became_a_supergroup_is_found_again(house: House) -> None:
    group = house.server.group("작은 집", kind="group", members=[house.person], admins=[house.owner])
    async with opened(house) as (adapter, _):
        first, second = await said(house, group), await said(house, group)
        new = await house.server.upgrade(group, house.owner)
        await adapter.post(Reply(first, "첫째"), Begun(house))
        await adapter.post(Reply(second, "둘째"), Begun(house))
        assert [(one.text, one.reply_to) for one in new.replies] == [("첫째", None), ("둘째", None)]
        assert house.server.counts["sendMessage 400"] == 1


# Her face


async def test_a_face_is_uploaded_once_and_known_after_a_restart(house: House) -> None:
    for _ in range(2):
        async with opened(house) as (adapter, _):
            for _ in range(2):
                (shown,) = await post(house, adapter, await said(house, house.private), ANSWER, expression=FACE)
                assert shown.photo is not None
    assert house.server.files.uploads == 1


async def test_a_file_id_that_telegram_forgot_is_replaced(house: House) -> None:
    async with opened(house) as (adapter, _):
        await post(house, adapter, await said(house, house.private), ANSWER, expression=FACE)
        house.server.files.__init__()  # type: ignore[misc]
        for _ in range(2):
            (shown,) = await post(house, adapter, await said(house, house.private), ANSWER, expression=FACE)
            assert shown.photo is not None
        assert house.server.files.uploads == 1
        assert house.server.counts["sendPhoto 400"] == 1


async def test_a_refused_photo_becomes_a_file_and_then_text_alone(house: House) -> None:
    async with opened(house) as (adapter, _):
        house.server.refuse_photos = True
        (shown,) = await post(house, adapter, await said(house, house.private), ANSWER, expression=FACE)
        assert (shown.document is not None, shown.caption) == (True, ANSWER)
        assert shown.document.name == f"aurora_{FACE.tag}.png"
        house.server.refuse_documents = True
        (shown,) = await post(house, adapter, await said(house, house.private), ANSWER, expression=FACE)
        assert shown.text == ANSWER


async def test_a_group_without_photos_gets_text_and_is_not_asked_each_time(house: House) -> None:
    house.group.may_send = {"text", "document"}
    async with opened(house) as (adapter, _):
        for _ in range(2):
            (shown,) = await post(house, adapter, await said(house, house.group), ANSWER, expression=FACE)
            assert shown.text == ANSWER
        assert house.server.counts["sendPhoto 400"] == 1
