"""A person's words in every place where words can be, and in none after the person left."""

import asyncio
import logging
import os
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from bot.app import assemble
from bot.config import Settings
from core import Models
from core.ethics import Thresholds
from core.memory import usable
from core.messages import ChatKey, IncomingMessage, PersonKey
from core.ports import Prompt
from core.tasks import MEMORY, OUTPUT_MESSAGE, SUMMARY
from models.fakes import FakeClock, FakeEncoder, plain_rule
from storage.backup import backup
from storage.record import Record
from storage.redis import RedisState
from tests.bot.asking import ask
from tests.bot.conftest import JUN, LOUNGE, MINA, PaperAdapter, PuppetModel, handle, say
from tests.end_to_end.serving import FakeJudge
from tests.redis_server import RedisServer, installed, redis_server
from tests.storage.samples import first_value

# in everything that Mina says, and in the name of her private chat; Jun knows nothing of it
CANARY = "canary7531"
HOME = ChatKey("paper", f"private {CANARY}", private=True)
OURS = ("bot", "core", "models", "storage")


def repeats(prompt: Prompt) -> str:
    """What was said comes back in the answer, in the memory and in the summary."""
    said = prompt.text.split(" (오로라 답변) ")[0].split("(사용자 질문) ")[-1]
    said = re.sub(r"^\[[^]]*] |\(지금은 [^)]*\) | \((답변|요약) 시작\)$", "", said)
    if prompt.task == OUTPUT_MESSAGE.name:
        return f"미안, {said}? {prompt.stop}"
    if prompt.task == MEMORY.name and ": " in said:
        return f"[{said}] {prompt.stop}"
    return f"{said}라고 했다 {prompt.stop}" if prompt.task == SUMMARY.name else plain_rule(prompt)


class House:
    """A service with its record in a folder, and a Redis where there is one."""

    def __init__(self, folder: Path, record: Record, redis: RedisServer | None) -> None:
        self.folder, self.record, self._redis = folder, record, redis
        self.language, self.clock = PuppetModel(), FakeClock()
        self.language.rule = repeats
        models = Models(self.language, FakeEncoder(), 0.3, FakeJudge(), Thresholds(), None, "fakes")
        app = assemble(Settings.model_construct(), record, models, [PaperAdapter()], self.clock)
        self.service, self._commands = app.service, app.host.commands
        self._numbers = count(1)

    async def ask(self, words: str, person: PersonKey = MINA, chat: ChatKey = HOME) -> str:
        return (await self._commands.run(ask(words, person=person, chat=chat))).text

    def message(self, text: str, person: PersonKey = MINA, chat: ChatKey = HOME) -> IncomingMessage:
        marked = f"{text} {CANARY}" if person == MINA else text
        return replace(say(marked, next(self._numbers), person, chat), sent_at=self.clock.now())

    async def lives(self) -> None:
        """Everything that can happen to words."""
        for text in ("가수: 에스파", "내일 일정: 면접", "별명: 미나리", "가수: 아이유"):
            for chat in (HOME, LOUNGE):
                await handle(self.service, self.message(text, chat=chat))
            await handle(self.service, self.message(text, JUN, LOUNGE))
        assert await self.ask(f"memory forget {(await self.record.memories.items(MINA))[0].item_id}") == "1개를 잊었어."
        first_value(self.folder / "record.db", "PRAGMA wal_checkpoint(PASSIVE)")  # from now on the words are in both
        await self.ask("settings images=off")
        await self._change_their_mind()
        await handle(self.service, self.message("사랑해"))
        (case,) = await self.record.cases.of(MINA)
        assert f"{case.number}" in await self.ask(f"appeal {case.number} 억울해 {CANARY}")
        self.clock.move(timedelta(days=1))
        await handle(self.service, self.message("나 왔어"))
        known = usable(await self.record.memories.items(MINA), "", self.clock.now(), Settings().policy.zone)
        assert any(item.key == "오늘 일정" for item in known)
        dead = self.message("이건 아무도 못 읽어")
        await self.record.turns.receive(dead)
        assert await self.record.dead.bury(dead.key, f"it broke at {CANARY}")
        await self.record.turns.receive(self.message("아직 기다려"))

    async def _change_their_mind(self) -> None:
        """One message is edited and one taken back, while she thinks about the one before."""
        self.language.gated = {OUTPUT_MESSAGE.name}
        first, edited, gone = (self.message(text) for text in ("잠깐", "고칠 말", "지울 말"))
        turns = [await self.service.receive(message) for message in (first, edited, gone)]
        await self.language.arrived.get()
        await self.service.amend(HOME, edited.message_id, f"고친 말 {CANARY}")
        await self.service.withdraw(HOME, gone.message_id)
        self.language.gated = set()
        self.language.gate.set()
        await asyncio.gather(*turns)

    async def found(self) -> Counter[str]:
        """How often the canary stands in each kind of file that somebody may come by."""
        await backup(url(self.folder), self.folder / "backup.db", force=True)
        files = [(file.name, file) for file in self.folder.glob("*.db*")]
        if self._redis is not None:
            await self._written(self._redis.url)
            folder = self._redis.folder
            files += [("dump.rdb", folder / "dump.rdb"), *(("aof", file) for file in folder.glob("appendonlydir/*"))]
        hits: Counter[str] = Counter()
        for kind, file in files:
            hits[kind] += file.read_bytes().count(CANARY.encode())
        return hits

    async def _written(self, url: str) -> None:
        """Redis has its files as it wants them, and a new dump."""
        async with Redis.from_url(url) as client:
            busy = True
            while busy:
                state = await client.info("persistence")
                busy = bool(state["aof_rewrite_in_progress"] or state["aof_rewrite_scheduled"])
            await client.save()


def url(folder: Path) -> str:
    return f"sqlite+aiosqlite:///{folder / 'record.db'}"


@pytest.fixture(params=["alone", "with Redis"])
def own_redis(request: pytest.FixtureRequest) -> Iterator[RedisServer | None]:
    """A server whose files can be read."""
    if request.param == "alone":
        yield None
    elif not installed():
        assert os.environ.get("CI") != "true", "Redis is not installed; .ci/run installs it"
        pytest.skip("no Redis server is installed")
    else:
        with redis_server("--appendonly", "yes", "--rdbcompression", "no") as running:
            yield running


@pytest_asyncio.fixture
async def house(tmp_path: Path, own_redis: RedisServer | None) -> AsyncIterator[House]:
    hot = None if own_redis is None else partial(RedisState, own_redis.url)
    async with await Record.open(url(tmp_path), hot=hot) as record:
        yield House(tmp_path, record, own_redis)


@pytest.mark.parametrize("way", ["by the person", "by the host"])
async def test_no_file_and_no_log_holds_a_word_of_somebody_who_left(
    house: House, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    for name in OURS:
        caplog.set_level(logging.DEBUG, name)
    await house.lives()
    juns = await house.record.people.export(JUN)
    before = await house.found()
    kinds = {"record.db", "record.db-wal", "backup.db"} | ({"dump.rdb", "aof"} if house._redis else set())
    assert {kind for kind, hits in before.items() if hits} >= kinds
    if way == "by the person":
        assert (await house.ask("forget-me 응")).startswith("다 지웠어.")
    else:
        assert await house.record.erase(MINA) == [1]
    after = await house.found()
    assert after.keys() >= kinds
    assert sum(after.values()) == 0, after
    assert CANARY not in caplog.text
    assert await house.record.people.export(JUN) == juns
    assert len(await house.record.cases.of(MINA)) == 1
