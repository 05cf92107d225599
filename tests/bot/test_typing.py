"""Showing that she is writing."""

import asyncio
from contextlib import AsyncExitStack

from bot.adapters.typing import Typing
from core.messages import ChatKey
from tests.bot.conftest import HOME, LOUNGE

A_LONG_TIME = 3600.0


class Shown:
    """Where she was seen writing; `fault` is raised every time."""

    def __init__(self) -> None:
        self.chats: asyncio.Queue[ChatKey] = asyncio.Queue()
        self.fault: Exception | None = None

    async def __call__(self, chat: ChatKey) -> None:
        self.chats.put_nowait(chat)
        if self.fault is not None:
            raise self.fault


async def test_a_quick_reply_needs_no_sign() -> None:
    shown = Shown()
    typing = Typing(shown, A_LONG_TIME, A_LONG_TIME)
    async with typing(HOME):
        for _ in range(5):  # a reply that needs no more than a few turns of the loop
            await asyncio.sleep(0)
    assert shown.chats.empty()


async def test_it_is_renewed_for_as_long_as_somebody_waits_and_no_longer() -> None:
    shown = Shown()
    typing = Typing(shown, 0.001, 0)
    async with typing(HOME):
        assert [await shown.chats.get() for _ in range(3)] == [HOME] * 3
        (task,) = typing._tasks.values()
    await asyncio.wait([task])
    assert task.cancelled()
    assert typing._tasks == typing._waiting == {}


async def test_many_who_wait_in_one_chat_are_one_sign() -> None:
    shown = Shown()
    typing = Typing(shown, A_LONG_TIME, 0)
    async with AsyncExitStack() as stack:
        for _ in range(10):
            await stack.enter_async_context(typing(HOME))
        await stack.enter_async_context(typing(LOUNGE))
        assert {await shown.chats.get() for _ in range(2)} == {HOME, LOUNGE}
        assert len(typing._tasks) == 2
    assert shown.chats.empty()


async def test_it_goes_on_until_the_last_one_has_a_reply() -> None:
    shown = Shown()
    typing = Typing(shown, 0.001, 0)
    async with typing(HOME):
        async with typing(HOME):
            await shown.chats.get()
        for _ in range(3):
            assert await shown.chats.get() == HOME


async def test_a_sign_that_cannot_be_shown_hurts_nothing_and_is_tried_again() -> None:
    shown = Shown()
    shown.fault = RuntimeError("the platform is down")
    async with Typing(shown, 0.001, 0)(HOME):
        for _ in range(3):
            await shown.chats.get()
