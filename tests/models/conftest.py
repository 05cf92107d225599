"""A device process over the tiny profile, shared by the tests of a module."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from models.device import DeviceProcess
from models.registry import Profile

SEED = 7


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def device(tiny_profile: Path) -> AsyncIterator[DeviceProcess]:
    """Started; its tests run in the loop of their module."""
    device = DeviceProcess(Profile(tiny_profile).weights, threads=1, seed=SEED)
    await device.start()
    yield device
    await device.close()
