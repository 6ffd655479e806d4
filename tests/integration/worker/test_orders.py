"""Orders to a worker reach its main thread, wherever they come in."""

import signal
import threading
from collections.abc import Iterator

import pytest

from docrefinery.worker.orders import LEFT, Orders

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@pytest.fixture
def orders() -> Iterator[Orders]:
    with Orders(SIGNALS) as orders:
        yield orders


def elsewhere(*numbers: signal.Signals) -> None:
    """Have another thread be handed signals, while this one sleeps or is about to."""

    def be_handed() -> None:
        for number in numbers:
            signal.pthread_kill(threading.get_ident(), number)

    threading.Timer(0.05, be_handed).start()


def test_signals_that_another_thread_is_handed_wake_the_main_one(orders: Orders) -> None:
    elsewhere(*SIGNALS)
    assert [orders.wait(20), orders.wait(20)] == list(SIGNALS)


def test_a_word_of_another_thread_is_heard(orders: Orders) -> None:
    threading.Timer(0.05, orders.say, [LEFT]).start()
    assert orders.wait(20) == LEFT


def test_a_time_without_orders_ends(orders: Orders) -> None:
    assert orders.wait(0.01) is None


def test_a_signal_with_another_handler_is_no_order(orders: Orders) -> None:
    before = signal.signal(signal.SIGUSR1, lambda *_: None)
    try:
        elsewhere(signal.SIGUSR1, signal.SIGTERM)
        assert orders.wait(20) == signal.SIGTERM
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_handlers_are_as_before_afterwards() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    with Orders(SIGNALS) as orders:
        assert [signal.getsignal(number) for number in SIGNALS] != before
    assert [signal.getsignal(number) for number in SIGNALS] == before
    orders.say(LEFT)
