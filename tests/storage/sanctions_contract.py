"""What every SanctionLog must do; the `record` fixture gives an empty record."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from core.errors import RecordError
from core.messages import PersonKey
from storage.record import Record
from tests.storage.samples import JUN, MINA, NOON, message, sanction, turn


class SanctionLogContract:
    async def test_a_persons_log_comes_back_as_it_was_oldest_first(self, record: Record) -> None:
        periods = {"love": timedelta(0), "hate": timedelta(days=1461), "insult": timedelta(hours=1, microseconds=1)}
        log = [sanction(name, period, NOON - timedelta(days=day)) for day, (name, period) in enumerate(periods.items())]
        for number, issued in enumerate(log):
            await record.turns.receive(message(number))
            await record.turns.commit(turn(message(number), replace(issued, step=number, overturned=number == 1)))
        expected = [replace(issued, step=number, overturned=number == 1) for number, issued in enumerate(log)]
        assert await record.sanctions.of(MINA) == expected[::-1]

    async def test_sanctions_of_one_turn_keep_their_order(self, record: Record) -> None:
        await record.turns.receive(message())
        await record.turns.commit(turn(message(), sanction("politics"), sanction("hate"), sanction("love")))
        assert [issued.category for issued in await record.sanctions.of(MINA)] == ["politics", "hate", "love"]

    async def test_nobody_is_sanctioned_for_another_person(self, record: Record) -> None:
        await record.turns.receive(message())
        await record.turns.commit(turn(message(), sanction()))
        assert await record.sanctions.of(JUN) == []
        assert await record.sanctions.of(PersonKey("discord", MINA.user_id)) == []

    async def test_evidence_that_has_no_form_in_json_is_refused_and_nothing_is_written(self, record: Record) -> None:
        await record.turns.receive(message())
        with pytest.raises(RecordError, match="object has no form in JSON"):
            await record.turns.commit(turn(message(), replace(sanction(), evidence={"model": object()})))
        assert await record.turns.unanswered() == [message()]
        assert await record.turns.undelivered() == []

    async def test_numbers_of_numpy_are_evidence(self, record: Record) -> None:
        await record.turns.receive(message())
        await record.turns.commit(turn(message(), replace(sanction(), evidence={"love": np.float32(0.5)})))
        assert (await record.sanctions.of(MINA))[0].evidence == {"love": 0.5}
