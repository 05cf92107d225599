"""Settings of places at hand, the table of what can be set, and the page that shows it."""

import asyncio
from dataclasses import replace

import pytest

from bot.place_settings import changed, settings_page
from bot.places import Places
from core.errors import RecordError
from core.messages import ChatKey, PlaceKey
from core.people import Images, PlaceSettings
from tests.bot.conftest import HOME, LOUNGE

QUIET = PlaceSettings(name_call=False, images=Images.OFF)


class Shelf:
    """A PlaceStore that counts its readers; `gate` opens before they get anything."""

    def __init__(self) -> None:
        self.kept: dict[PlaceKey, PlaceSettings] = {}
        self.reads = 0
        self.asked = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()
        self.fault: RecordError | None = None

    async def of(self, place: PlaceKey) -> PlaceSettings:
        self.reads += 1
        self.asked.set()
        found = self.kept.get(place, PlaceSettings())
        await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        return found

    async def change(self, place: PlaceKey, settings: PlaceSettings) -> None:
        if self.fault is not None:
            raise self.fault
        self.kept[place] = settings


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


class TestAtHand:
    async def test_a_place_is_read_once_for_all_its_chats(self, shelf: Shelf) -> None:
        places = Places(shelf)
        shelf.kept[LOUNGE.place] = QUIET
        shelf.gate.clear()
        asking = [asyncio.create_task(places.of(chat)) for chat in (LOUNGE, replace(LOUNGE, chat_id="games"), LOUNGE)]
        shelf.gate.set()
        assert await asyncio.gather(*asking) == [QUIET] * 3
        assert await places.of(LOUNGE) == QUIET
        assert shelf.reads == 1
        assert await places.of(HOME) == PlaceSettings()
        assert shelf.reads == 2

    async def test_a_change_holds_at_once_and_after_a_restart(self, shelf: Shelf) -> None:
        places = Places(shelf)
        assert await places.of(LOUNGE) == PlaceSettings()
        await places.change(LOUNGE.place, QUIET)
        assert await places.of(LOUNGE) == await Places(shelf).of(LOUNGE) == QUIET

    async def test_a_change_while_they_are_read_is_not_undone(self, shelf: Shelf) -> None:
        places = Places(shelf)
        shelf.gate.clear()
        reading = asyncio.create_task(places.of(LOUNGE))
        await shelf.asked.wait()
        await places.change(LOUNGE.place, QUIET)
        shelf.gate.set()
        await reading
        assert await places.of(LOUNGE) == QUIET

    async def test_a_record_that_fails_means_the_defaults_until_it_works_again(self, shelf: Shelf) -> None:
        places = Places(shelf)
        shelf.kept[LOUNGE.place] = QUIET
        shelf.fault = RecordError("locked")
        assert await places.of(LOUNGE) == PlaceSettings()
        shelf.fault = None
        assert await places.of(LOUNGE) == QUIET

    async def test_one_who_stops_waiting_takes_nothing_from_the_others(self, shelf: Shelf) -> None:
        places = Places(shelf)
        shelf.kept[LOUNGE.place] = QUIET
        shelf.gate.clear()
        gone, stays = (asyncio.create_task(places.of(LOUNGE)) for _ in range(2))
        await shelf.asked.wait()
        gone.cancel()
        shelf.gate.set()
        assert await stays == QUIET


class TestWhatCanBeSet:
    @pytest.mark.parametrize(
        ("name", "value", "after"),
        [
            ("channel", "7", PlaceSettings(channels=frozenset({"5", "7"}))),
            ("channel", "5", PlaceSettings()),
            ("name_call", "off", PlaceSettings(channels=frozenset({"5"}), name_call=False)),
            ("name_call", "on", PlaceSettings(channels=frozenset({"5"}))),
            ("images", "change", PlaceSettings(channels=frozenset({"5"}), images=Images.CHANGE)),
            ("images", "off", PlaceSettings(channels=frozenset({"5"}), images=Images.OFF)),
            ("language", "en", PlaceSettings(channels=frozenset({"5"}), language="en")),
        ],
    )
    def test_one_setting_changes_and_the_others_stay(self, name: str, value: str, after: PlaceSettings) -> None:
        assert changed(PlaceSettings(channels=frozenset({"5"})), name, value) == after

    @pytest.mark.parametrize(
        ("name", "value"),
        [("channel", ""), ("name_call", "maybe"), ("images", "often"), ("language", "fr"), ("colour", "red"), ("", "")],
    )
    def test_anything_else_is_refused(self, name: str, value: str) -> None:
        with pytest.raises(ValueError, match=r"no such setting|not a valid"):
            changed(PlaceSettings(), name, value)


class TestThePage:
    @pytest.mark.parametrize("chat", [HOME, LOUNGE], ids=["private", "server"])
    @pytest.mark.parametrize("language", ["ko", "en"])
    @pytest.mark.parametrize("images", Images)
    @pytest.mark.parametrize("chosen", ["", "ko", "en"])
    def test_every_button_changes_what_it_says(self, chat: ChatKey, language: str, images: Images, chosen: str) -> None:
        settings = PlaceSettings(images=images, language=chosen)
        page = settings_page(settings, chat, language)
        assert len(page.buttons) <= 5
        assert all(1 <= len(row) <= 5 for row in page.buttons)
        for button in (button for row in page.buttons for button in row):
            assert button.command.name == "settings"
            name, _, value = button.command.argument.partition("=")
            after = changed(settings, name, value)
            assert after != settings
            assert page.text != settings_page(after, chat, language).text

    def test_a_private_chat_has_no_channels_and_nobody_to_call_her(self) -> None:
        page = settings_page(PlaceSettings(), HOME, "ko")
        arguments = [button.command.argument for row in page.buttons for button in row]
        assert not [argument for argument in arguments if argument.startswith(("channel", "name_call"))]

    def test_channels_are_shown_as_links(self) -> None:
        settings = PlaceSettings(channels=frozenset({"lounge", "games"}))
        page = settings_page(settings, LOUNGE, "en")
        assert "My channels: <#games>, <#lounge>" in page.text
        assert page.buttons[0][0].label == "Answer here only when called"
        assert "none (I answer when called or replied to)" in settings_page(PlaceSettings(), LOUNGE, "en").text
