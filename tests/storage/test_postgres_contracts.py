"""The same contracts over PostgreSQL."""

import pytest

from tests.storage.cases_contract import (
    CaseStoreContract,
    KeptForAWhileContract,
    ListsOfCasesContract,
    ReviewQueueContract,
)
from tests.storage.memories_contract import MemoryStoreContract
from tests.storage.past_contract import PastContract
from tests.storage.people_contract import (
    ButtonStoreContract,
    NotesContract,
    PeopleStoreContract,
    PlaceStoreContract,
)
from tests.storage.rights_contract import FencesContract, NothingLearnedAnyMoreContract, WaitingContract
from tests.storage.turns_contract import TurnStoreContract

pytestmark = pytest.mark.asyncio


@pytest.fixture
def url(postgres_url: str) -> str:
    return postgres_url


class TestTurnsInPostgres(TurnStoreContract):
    pass


class TestMemoriesInPostgres(MemoryStoreContract):
    pass


class TestCasesInPostgres(CaseStoreContract, ListsOfCasesContract, KeptForAWhileContract, ReviewQueueContract):
    pass


class TestPeopleInPostgres(PeopleStoreContract):
    pass


class TestPlacesInPostgres(PlaceStoreContract):
    pass


class TestButtonsInPostgres(ButtonStoreContract):
    pass


class TestNotesInPostgres(NotesContract):
    pass


class TestRightsInPostgres(FencesContract, WaitingContract, NothingLearnedAnyMoreContract):
    pass


class TestPastInPostgres(PastContract):
    pass
