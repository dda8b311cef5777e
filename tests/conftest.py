"""What holds for every test."""

import signal

import pytest
from hypothesis import settings

pytest_plugins = ["tests.alone", "tests.resume"]


def pytest_configure(config: pytest.Config) -> None:
    """Interrupts work, also where the tests run in the background of a shell script: that has them ignored, and a child
    would inherit it. No property is timed: a busy host is no counterexample. Examples are the same in every run, so
    that one that fails was broken by the change at hand; the long walk (``--resume``) looks for new ones."""
    settings.register_profile("same", deadline=None, derandomize=True)
    settings.register_profile("new", deadline=None)
    settings.load_profile("new" if config.getoption("resume") else "same")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
