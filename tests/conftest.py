"""What holds for every test."""

import signal

from hypothesis import settings

pytest_plugins = ["tests.resume"]


def pytest_configure() -> None:
    """Interrupts work, also where the tests run in the background of a shell script: that has them ignored, and a child
    would inherit it. No property is timed: a busy host is no counterexample."""
    settings.register_profile("untimed", deadline=None)
    settings.load_profile("untimed")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
