"""Whatever a model writes arrives in Discord whole, and nobody is pinged by it."""

import random
import re
from collections import defaultdict

from core.messages import PlaceKey
from core.people import Images, PlaceSettings
from core.ports import Prompt
from core.tasks import OUTPUT_MESSAGE
from models.fakes import plain_rule
from tests.end_to_end.discord_house import House
from tests.end_to_end.discord_house import house as house
from tests.end_to_end.discord_server import would_ping
from tests.end_to_end.serving import HesitantModel

OUTPUTS = 1000
PEOPLE = 100
LONGEST = 5000
PARTS = (
    "@everyone", "@here", "<@123>", "<@!123>", "<@&1>", "<#5>", "</chat:1>", "<:a:1>", "<t:0:R>", "`", "``", "```",
    "```py\n", "\n```\n", "````", "~~~", "~~~text\n", "||", "**", "__", "> ", "# ", "\n", "\n\n\n", "\n \n", " ",
    "\t", "\r\n", "\u200b", "\u200d", "\u2800", "\u3164", "\ufeff", "\u202e", "\xa0", "\x00", "\x1b", "\ud800",
    "오로라는", "그렇게 생각해.", "정말?", "좋아!", "😀", "👨‍👩‍👧‍👦", "🇰🇷", "가" * 300, "a" * 700, "👍🏽" * 50,
    "각̈", "x" * 90,
)  # fmt: skip
FEWER_FACES = PlaceSettings(images=Images.CHANGE)
INVISIBLE = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\u3164\u2800\ud800-\udfff]")


def hostile(number: int) -> str:
    """A seeded mix, with something visible in it; every tenth is as long as they come."""
    chance = random.Random(number)
    length = LONGEST if number % 10 == 0 else chance.randint(1, 600)
    text = "말"
    while len(text) < length:
        text += chance.choice(PARTS)
    return text[:LONGEST]


def write(prompt: Prompt) -> str:
    """The output of the number that was asked for."""
    if prompt.task != OUTPUT_MESSAGE.name:
        return plain_rule(prompt)
    number = re.findall(r"번호 (\d+)", prompt.text)[-1]
    return f"{hostile(int(number))} {prompt.stop}"


def visible(text: str) -> str:
    return INVISIBLE.sub("", text)


def arrived(output: str, shown: str) -> bool:
    """Whether every visible character stands there in order, with nothing between but fences closed and opened."""
    if "```" not in output and "~~~" not in output:
        return visible(shown) == visible(output)
    rest = iter(visible(shown))
    return all(letter in rest for letter in visible(output))


async def test_a_thousand_hostile_outputs_arrive_whole_and_ping_nobody(house: House) -> None:
    server, model = house.server, HesitantModel(write)
    model.let.set()
    people = [server.user(f"사람 {number}") for number in range(PEOPLE)]
    places = [
        server.dm(one) if number % 2 else house.guild.channel(f"방 {number}") for number, one in enumerate(people)
    ]
    async with house.served(model, turn={"answer_tokens": 8192, "patience_s": 60}) as service:
        for place in places:  # a thousand pictures are another test's matter
            await service.record.places.change(PlaceKey("discord", str((place.guild or place).id)), FEWER_FACES)
        said = [
            await server.say(people[number % PEOPLE], places[number % PEOPLE], f"로라야 번호 {number}")
            for number in range(OUTPUTS)
        ]
        await server.until(lambda: model.times >= OUTPUTS, timeout=90)
    shown: dict[str, list[str]] = defaultdict(list)
    for place in places:
        for one in house.hers(place):
            assert would_ping(one) == set()
            shown[str(one.nonce).partition(".")[0]].append(one.content)
    lost = [
        number for number, message in enumerate(said) if not arrived(hostile(number), "\n".join(shown[str(message.id)]))
    ]
    assert lost == []
    assert set(server.statuses) == {200, 204}
    assert sum(map(len, shown.values())) > OUTPUTS
