"""What every PeopleStore, PlaceStore, ButtonStore and Notes must do; the `record` fixture gives an empty record."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from core.cases import Event, Kind
from core.messages import ChatKey, Notice, NoticeKind, PersonKey, PlaceKey, Reply, Turn
from core.people import Images, Person, PlaceSettings
from core.sanctions import Evidence, Mode
from storage.export import VERSION
from storage.people import BUTTONS_LIVE
from storage.record import Record
from tests.storage.samples import (
    HOME,
    JUN,
    MINA,
    NOON,
    begin,
    exactly,
    item,
    last_summary,
    learn,
    message,
    sanction,
    summary,
    turn,
)

NAMESAKE = PersonKey("discord", MINA.user_id)
GUILD = PlaceKey("discord", "guild")


def introduced(reply: Reply) -> Reply:
    return replace(reply, notices=(Notice(NoticeKind.INTRODUCTION, "나는 AI야"),))


class PeopleStoreContract:
    async def test_somebody_never_met_has_the_defaults(self, record: Record) -> None:
        assert await record.people.of(MINA) == Person(introduced=False, paused=False)

    async def test_pausing_and_being_introduced_leave_each_other_and_everybody_else_alone(self, record: Record) -> None:
        await record.people.pause(MINA, True)
        assert await record.people.of(MINA) == Person(introduced=False, paused=True)
        await record.people.introduce(MINA)
        await record.people.introduce(MINA)
        assert await record.people.of(MINA) == Person(introduced=True, paused=True)
        await record.people.pause(MINA, False)
        assert await record.people.of(MINA) == Person(introduced=True, paused=False)
        assert [await record.people.of(other) for other in (JUN, NAMESAKE)] == [Person(), Person()]

    async def test_a_turn_that_introduces_her_makes_the_person_introduced(self, record: Record) -> None:
        await begin(record, 1)
        assert not (await record.people.of(MINA)).introduced
        await record.turns.receive(message(2))
        left = turn(message(2))
        await record.turns.commit(replace(left, reply=introduced(left.reply)))
        assert await record.people.of(MINA) == Person(introduced=True, paused=False)
        assert not (await record.people.of(JUN)).introduced

    async def test_a_turn_that_was_there_already_introduces_nobody(self, record: Record) -> None:
        await begin(record, 1)
        left = turn(message(1))
        await record.turns.commit(replace(left, reply=introduced(left.reply)))
        assert not (await record.people.of(MINA)).introduced

    async def test_the_export_holds_everything_of_a_person_and_nothing_of_anybody_else(self, record: Record) -> None:
        elsewhere = ChatKey("console", "elsewhere", True)
        for person, chat in ((MINA, HOME), (JUN, elsewhere), (NAMESAKE, ChatKey("discord", HOME.chat_id, True))):
            await leave_canaries(record, person, chat)
        kept = await record.people.export(MINA)
        written = json.dumps(kept, ensure_ascii=False)
        whose = f"{MINA.platform} {MINA.user_id}"
        for canary in CANARIES:
            assert canary.format(whose) in written, canary
        assert "discord" not in written
        assert JUN.user_id not in written
        assert "judge dredd" not in written
        assert "between moderators" not in written
        assert (kept["platform"], kept["user_id"]) == ("console", "mina")
        assert kept["person"] == [{"introduced": True, "paused": True}]
        counted = {"messages": 3, "replies": 2, "memories": 1, "summaries": 1, "cases": 1, "case_events": 3}
        assert {name: len(kept[name]) for name in counted} == counted
        assert kept["messages"][0]["sent_at"] == "2025-11-21T03:01:00.123456+00:00"
        assert kept["cases"][0]["period_s"] == 3600.0

    async def test_an_export_shows_no_address_to_answer_at_and_no_vector(self, record: Record) -> None:
        await record.turns.receive(replace(message(), via="token-of-an-interaction"))
        await learn(record, 2, item())
        kept = await record.people.export(MINA)
        assert "token-of-an-interaction" not in json.dumps(kept)
        assert not {"vector", "aged_vector", "via", "turn_id", "inbox_id"} & set(keys_in(kept))

    async def test_the_export_of_somebody_never_met_is_empty(self, record: Record) -> None:
        await learn(record, 1, item())
        kept = await record.people.export(JUN)
        assert kept.pop("version") == VERSION
        assert kept.pop("user_id") == JUN.user_id
        assert kept.pop("platform") == JUN.platform
        assert all(rows == [] for rows in kept.values())


class PlaceStoreContract:
    async def test_a_place_that_nobody_changed_has_the_defaults(self, record: Record) -> None:
        assert await record.places.of(GUILD) == PlaceSettings()

    @pytest.mark.parametrize("images", Images)
    async def test_settings_come_back_as_they_were_and_the_last_ones_count(
        self, record: Record, images: Images
    ) -> None:
        await record.places.change(GUILD, PlaceSettings(frozenset("12"), language="ko"))
        chosen = PlaceSettings(
            frozenset({"9", "10"}),
            name_call=False,
            images=images,
            language="en",
            modes={"love": Mode.OFF, "hate": Mode.SHADOW},
            thresholds={"politics": 0.99},
            ladders={"love": (timedelta(0), timedelta(hours=1, microseconds=1), timedelta(days=1461))},
            review_chat="77",
            moderator_role="88",
        )
        await record.places.change(GUILD, chosen)
        assert await record.places.of(GUILD) == chosen

    async def test_a_place_that_moves_takes_along_what_belongs_to_it(self, record: Record) -> None:
        old, new = PlaceKey("console", "group"), PlaceKey("console", "supergroup")
        here, there = (ChatKey("console", place.place_id, False, place.place_id) for place in (old, new))
        await learn(record, 1, item(scope="group"), chat=here)
        await learn(record, 2, item(key="상태", value="졸림"))
        await record.places.change(old, PlaceSettings(name_call=False))
        reviewed = PlaceKey("console", "another")
        await record.places.change(reviewed, PlaceSettings(images=Images.OFF, review_chat="group"))
        await record.turns.receive(message(3, chat=here))
        await record.turns.commit(turn(message(3, chat=here), sanction()))
        for _ in range(2):
            await record.places.move(old, new)
        assert [case.chat for case in await record.cases.of(MINA)] == [ChatKey("console", "supergroup", False)]
        assert await record.places.of(new) == PlaceSettings(name_call=False)
        assert await record.places.of(old) == PlaceSettings()
        assert await record.places.of(reviewed) == PlaceSettings(images=Images.OFF, review_chat="supergroup")
        assert [known.scope for known in await record.memories.items(MINA)] == ["supergroup", ""]
        kept = await last_summary(record, chat=there)
        assert kept is not None
        assert kept.text == "summary of 에스파"
        assert await last_summary(record, chat=here) is None

    async def test_places_do_not_share_settings(self, record: Record) -> None:
        await record.places.change(GUILD, PlaceSettings(name_call=False))
        for other in (PlaceKey("telegram", "guild"), PlaceKey("discord", "guild 2")):
            assert await record.places.of(other) == PlaceSettings()


class ButtonStoreContract:
    async def test_a_button_gives_its_command_as_often_as_its_person_presses_it(self, record: Record) -> None:
        first, second = await record.buttons.make(MINA, [("memory", "forget 3"), ("settings", "이름=켬")], NOON)
        for _ in range(2):
            assert await record.buttons.pressed(MINA, first) == ("memory", "forget 3")
        assert await record.buttons.pressed(MINA, second) == ("settings", "이름=켬")

    @pytest.mark.parametrize("other", [JUN, NAMESAKE])
    async def test_a_button_of_somebody_else_is_none(self, record: Record, other: PersonKey) -> None:
        (button,) = await record.buttons.make(MINA, [("memory", "forget all")], NOON)
        assert await record.buttons.pressed(other, button) is None

    @pytest.mark.parametrize("button", [0, -1, 7, 10**30])
    async def test_a_button_that_was_never_made_is_none(self, record: Record, button: int) -> None:
        assert await record.buttons.pressed(MINA, button) is None

    async def test_no_buttons_are_no_buttons(self, record: Record) -> None:
        assert await record.buttons.make(MINA, [], NOON) == []

    async def test_old_buttons_of_a_person_go_when_new_ones_are_made(self, record: Record) -> None:
        (old,) = await record.buttons.make(MINA, [("memory", "list 1")], NOON)
        (juns,) = await record.buttons.make(JUN, [("memory", "list 1")], NOON)
        (young,) = await record.buttons.make(MINA, [("memory", "list 2")], NOON + timedelta(seconds=1))
        await record.buttons.make(MINA, [("memory", "list 3")], NOON + BUTTONS_LIVE + timedelta(seconds=1))
        assert await record.buttons.pressed(MINA, old) is None
        assert await record.buttons.pressed(MINA, young) == ("memory", "list 2")
        assert await record.buttons.pressed(JUN, juns) == ("memory", "list 1")

    async def test_many_people_get_buttons_of_their_own_in_their_order(self, record: Record) -> None:
        people = [PersonKey("console", str(number)) for number in range(30)]
        wanted = [("memory", f"forget {number}") for number in range(10)]
        made = await asyncio.gather(*(record.buttons.make(person, wanted, NOON) for person in people))
        assert len({button for buttons in made for button in buttons}) == 300
        for person, buttons in zip(people, made, strict=True):
            assert [await record.buttons.pressed(person, button) for button in buttons] == wanted


class NotesContract:
    async def test_a_note_is_what_was_written_last(self, record: Record) -> None:
        assert await record.notes.read("commands") == ""
        for value in ("하나", "둘", ""):
            await record.notes.write("commands", value)
            assert await record.notes.read("commands") == value

    async def test_notes_have_names(self, record: Record) -> None:
        await record.notes.write("first", "1")
        await record.notes.write("second", "2")
        assert [await record.notes.read(name) for name in ("first", "second", "third")] == ["1", "2", ""]


# in every place where something of a person is kept
CANARIES = (
    "asked {}", "waits {}", "blocks {}", "answer {}", "notice {}", "input {}",
    "remembered {}", "summary of remembered {}", "evidence {}", "answered {}", "appeal {}", "reason {}",
)  # fmt: skip


async def leave_canaries(record: Record, person: PersonKey, chat: ChatKey) -> None:
    whose = f"{person.platform} {person.user_id}"
    asked = replace(message(1, person, chat), text=f"asked {whose}")
    await record.turns.receive(asked)
    reply = Reply(asked, f"answer {whose}", notices=(Notice(NoticeKind.INTRODUCTION, f"notice {whose}"),))
    turn_id = await record.turns.commit(Turn(reply, f"input {whose}"))
    value = f"remembered {whose}"
    await record.turns.remember(turn_id, exactly(add=item(value=value)), summary(f"summary of {value}"))
    blocked = replace(message(2, person, chat), text=f"blocks {whose}")
    await record.turns.receive(blocked)
    issued = replace(sanction("hate", timedelta(hours=1)), evidence=Evidence(f"evidence {whose}", f"answered {whose}"))
    (case,) = await record.cases.of_turn(await record.turns.commit(Turn(Reply(blocked, "그만해"), "그만", (issued,))))
    await record.cases.append(case.number, lambda _: Event(Kind.APPEALED, NOON, person, f"appeal {whose}"))
    decision = Event(Kind.UPHELD, NOON, PersonKey("console", "judge dredd"), f"reason {whose}")
    await record.cases.append(case.number, lambda _: decision)
    await record.cases.append(case.number, lambda _: Event(Kind.COMMENTED, NOON, decision.by, "between moderators"))
    await record.turns.receive(replace(message(3, person, chat), text=f"waits {whose}"))
    await record.people.pause(person, True)


def keys_in(kept: object) -> Iterator[str]:
    if isinstance(kept, dict):
        yield from kept
        kept = list(kept.values())
    if isinstance(kept, list):
        for part in kept:
            yield from keys_in(part)
