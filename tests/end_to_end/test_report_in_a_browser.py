"""A real report in a real browser: nothing complains, nothing is fetched, everybody can read it.

Chromium is driven over its own debugging protocol; the page has a policy that forbids scripts, the debugger is exempt.
"""

import asyncio
import json
import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from models.training.evaluation import report
from models.training.evaluation.report import Report
from tests.models.evaluation_samples import HOSTILE, hostile_parts

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PHONE, DESKTOP = (360, 740), (1280, 900)
# what a browser has to say against a page
COMPLAINTS = ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded", "Network.loadingFailed")

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(
        CHROMIUM is None and os.environ.get("CI") != "true", reason="chromium is not here; apt-get install chromium"
    ),
]


class Tab:
    """One page of a browser. `events`: all that it reported, (method, parameters)."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._count = 0
        self._session: str | None = None
        self.events: list[tuple[str, dict[str, Any]]] = []

    async def attach(self) -> None:
        """To the tab the browser opened with."""
        target = (await self.send("Target.createTarget", url="about:blank"))["targetId"]
        self._session = (await self.send("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.send(f"{domain}.enable")

    async def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A command's result; what is reported meanwhile is kept."""
        self._count += 1
        command = {"id": self._count, "method": method, "params": parameters}
        await self._socket.send_json(command if self._session is None else {**command, "sessionId": self._session})
        while (message := await self._next()).get("id") != self._count:
            pass
        assert "error" not in message, message
        return dict(message["result"])

    async def open(self, address: str, size: tuple[int, int], scheme: str = "light") -> None:
        """Until it has loaded."""
        width, height = size
        await self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500
        )
        await self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.events.clear()
        await self.send("Page.navigate", url=address)
        while not any(method == "Page.loadEventFired" for method, _ in self.events):
            await self._next()

    async def ask(self, expression: str) -> Any:
        """The value of some JavaScript."""
        answer = await self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def _next(self) -> dict[str, Any]:
        message: dict[str, Any] = await self._socket.receive_json()
        if "method" in message:
            self.events.append((message["method"], message.get("params", {})))
        return message


@asynccontextmanager
async def browser(profile: Path) -> AsyncIterator[Tab]:
    assert CHROMIUM is not None, "CI needs chromium: apt-get install chromium"
    process = await asyncio.create_subprocess_exec(
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        address = await _address(process)
        draining = asyncio.create_task(_drain(process))
        async with aiohttp.ClientSession() as session, session.ws_connect(address, max_msg_size=0) as socket:
            tab = Tab(socket)
            await tab.attach()
            yield tab
    finally:
        process.kill()
        await process.wait()
    await draining


async def _address(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    async for line in process.stderr:
        if found := re.search(rb"listening on (ws://\S+)", line):
            return found[1].decode()
    raise AssertionError("chromium ended before it listened")


async def _drain(process: asyncio.subprocess.Process) -> None:
    assert process.stderr is not None
    await process.stderr.read()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tab(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Tab]:
    async with browser(tmp_path_factory.mktemp("chromium")) as tab:
        yield tab


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of every kind of section, with markup wherever people or models write."""
    folder = tmp_path_factory.mktemp("report")
    parts = await hostile_parts(folder)
    written, _ = report.write(Report(HOSTILE, {"model": HOSTILE}, parts), folder / "hostile")
    return written


BROKEN = """
Promise.all([...document.images].map(image => image.decode().then(() => "", () => image.alt)))
  .then(broken => broken.filter(Boolean))
"""
CONTRAST = """
(() => {
  const channel = c => (c /= 255) <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4;
  const light = rgb => { const [r, g, b] = rgb.match(/[\\d.]+/g).map(Number);
    return .2126 * channel(r) + .7152 * channel(g) + .0722 * channel(b); };
  const behind = element => { const own = getComputedStyle(element).backgroundColor;
    return own !== "rgba(0, 0, 0, 0)" || !element.parentElement ? own : behind(element.parentElement); };
  return Math.min(...[...document.querySelectorAll("h1, h2, p, a, td, th, dt, dd, caption, figcaption, summary")].map(
    element => { const [a, b] = [light(getComputedStyle(element).color), light(behind(element))].sort((x, y) => x - y);
      return (b + .05) / (a + .05); }));
})()
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
async def test_it_renders_without_a_complaint_and_without_the_network(
    tab: Tab, page: Path, size: tuple[int, int], scheme: str
) -> None:
    await tab.open(page.as_uri(), size, scheme)
    assert await tab.ask(BROKEN) == []
    assert await tab.ask("document.images.length") > 10
    complaints = [event for event in tab.events if event[0] in COMPLAINTS]
    assert complaints == []
    asked = [event["request"]["url"] for method, event in tab.events if method == "Network.requestWillBeSent"]
    assert {url.partition(":")[0] for url in asked} <= {"file", "data"}


async def test_no_markup_of_a_model_becomes_an_element(tab: Tab, page: Path) -> None:
    await tab.open(page.as_uri(), DESKTOP)
    assert await tab.ask("document.querySelectorAll('script, [onerror], [src^=http]').length") == 0
    assert await tab.ask("document.querySelector('h1').textContent") == HOSTILE


async def test_the_page_never_scrolls_sideways_on_a_phone(tab: Tab, page: Path) -> None:
    await tab.open(page.as_uri(), PHONE)
    await tab.ask("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert await tab.ask("document.documentElement.scrollWidth") <= PHONE[0]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_all_text_stands_out_from_what_is_behind_it(tab: Tab, page: Path, scheme: str) -> None:
    await tab.open(page.as_uri(), DESKTOP, scheme)
    assert await tab.ask(CONTRAST) >= 4.5


async def test_dark_pages_have_dark_pictures(tab: Tab, page: Path) -> None:
    shown = []
    for scheme in ("light", "dark"):
        await tab.open(page.as_uri(), DESKTOP, scheme)
        shown.append(await tab.ask("document.images[0].currentSrc"))
    assert shown[0] != shown[1]


async def test_tables_and_pictures_speak_to_those_who_do_not_see_them(tab: Tab, page: Path) -> None:
    await tab.open(page.as_uri(), DESKTOP)
    for wrong in (
        "table:not(:has(caption))", "th:not([scope])", "tr:not(:has(th))", "img:not([alt]), img[alt='']",
        ".scroll:not([tabindex='0'][role=region][aria-label])", "section:not([aria-labelledby])",
    ):  # fmt: skip
        assert await tab.ask(f"document.querySelectorAll({json.dumps(wrong)}).length") == 0, wrong
    assert await tab.ask("new Set([...document.querySelectorAll('[id]')].map(e => e.id)).size") == await tab.ask(
        "document.querySelectorAll('[id]').length"
    )
