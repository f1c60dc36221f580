import pytest

from farebox.services.check_health import CheckHealth
from tests.fakes.ledger_store import FakeLedgerStore, Fault


@pytest.mark.parametrize(("fault", "is_up"), [(None, True), (Fault.THROTTLE, False)])
def test_health_is_whether_the_ledger_answers(fault: Fault | None, is_up: bool) -> None:
    store = FakeLedgerStore()
    store.plan(fault)

    assert CheckHealth(store)() is is_up
    assert store.kinds() == ["account"]
