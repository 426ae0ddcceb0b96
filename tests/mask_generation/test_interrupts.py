import os
import signal
import threading

import pytest

from mask_generation.interrupts import end_at_once, interruptible, loading, no_interrupt

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture(autouse=True)
def handlers():
    """As in a process that a user starts; what called the tests may ignore Ctrl-C."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def to_this_process(number: int) -> None:
    os.kill(os.getpid(), number)


def to_another_thread(number: int) -> None:
    """Where the system delivers it while the main thread blocks it."""
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    signal.pthread_kill(thread.ident, number)
    done.set()
    thread.join()


@pytest.mark.parametrize("send", [to_this_process, to_another_thread])
@pytest.mark.parametrize("number", SIGNALS)
def test_interrupt_comes_after_the_block(number, send):
    steps = []

    def work():
        with no_interrupt():
            send(number)
            steps.append("finished")
        steps.append("too late")

    with interruptible() as received, pytest.raises(KeyboardInterrupt):
        work()
    assert steps == ["finished"]
    assert received == [number]
    assert {signal.getsignal(each) for each in SIGNALS} == {signal.SIG_DFL}


def test_two_interrupts_within_a_block_are_one():
    caught = []
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with no_interrupt():
            to_this_process(signal.SIGINT)
            to_this_process(signal.SIGINT)
    except KeyboardInterrupt as interrupt:
        caught.append(interrupt)
    assert len(caught) == 1


def test_inner_block_leaves_the_interrupt_to_the_outer_one():
    steps = []

    def work():
        with no_interrupt():
            with no_interrupt():
                to_this_process(signal.SIGINT)
            steps.append("finished")

    with interruptible(), pytest.raises(KeyboardInterrupt):
        work()
    assert steps == ["finished"]


def test_handlers_are_back_after_an_error_in_the_block():
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with pytest.raises(ZeroDivisionError), no_interrupt():
        _ = 1 // 0
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_ignored_signal_stays_ignored():
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    with interruptible(), loading(), no_interrupt():
        for number in SIGNALS:
            to_this_process(number)
    end_at_once()
    assert {signal.getsignal(number) for number in SIGNALS} == {signal.SIG_IGN}


def test_handler_of_the_callers_own_stays():
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with interruptible():
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        assert callable(signal.getsignal(signal.SIGTERM))


def test_loading_is_ended_by_the_system_and_what_follows_is_interrupted():
    with interruptible():
        with loading():
            assert {signal.getsignal(number) for number in SIGNALS} == {signal.SIG_DFL}
        assert all(callable(signal.getsignal(number)) for number in SIGNALS)
    assert {signal.getsignal(number) for number in SIGNALS} == {signal.SIG_DFL}


def test_end_at_once_leaves_both_to_the_system():
    signal.signal(signal.SIGINT, signal.default_int_handler)
    end_at_once()
    assert {signal.getsignal(number) for number in SIGNALS} == {signal.SIG_DFL}


def test_other_threads_have_nothing_to_put_off():
    before = signal.getsignal(signal.SIGINT)
    found = []

    def look():
        with no_interrupt(), interruptible() as received:
            found.append((signal.getsignal(signal.SIGINT), received))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == [(before, [])]
