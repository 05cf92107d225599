"""With the models that ship: from a message in Discord to her reply, and what she keeps of it."""

import asyncio

from bot.app import build
from bot.config import Settings
from core.tasks import NO_REPLY
from storage.record import Record
from tests.end_to_end.discord_house import House, key
from tests.end_to_end.discord_house import house as house
from tests.end_to_end.discord_server import would_ping

LONG_ENOUGH_S = 60.0


async def test_somebody_talks_with_the_bundled_models(house: House) -> None:
    server, values = house.server, {"data_dir": house.folder, "cache_dir": house.faces, "models": {"seed": 1}}
    settings = Settings.model_validate(values)
    async with build(settings, [house.adapter()]) as app:
        running = asyncio.create_task(app.run())
        await server.until(server.connected.is_set, timeout=LONG_ENOUGH_S)
        message = await server.say(house.person, house.channel, "로라야 내일 면접이야")
        used = await server.slash(house.guild.owner, house.channel, "chat", options={"text": "안녕! 이름이 뭐야?"})
        await server.until(lambda: message.replies and used.texts and not used.thinking, timeout=LONG_ENOUGH_S)
        running.cancel()  # what is under way is finished
        await asyncio.gather(running, return_exceptions=True)
    [reply] = message.replies
    for shown in (reply, used.responses[0]):
        answer, introduction = shown.content.split("\n\n※ ")
        assert answer not in ("", NO_REPLY)
        assert "나는 사람이 아니라 AI야" in introduction
        assert shown.attachments[0].filename.startswith("aurora_eyes-")
        assert would_ping(shown) == set()
    async with await Record.open(settings.record) as record:
        assert [item.text for item in await record.memories.items(key(house.person))] == ["[내일 일정: 면접]"]
