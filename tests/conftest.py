"""What holds for every test."""

import signal


def pytest_configure() -> None:
    """Interrupts work, also where the tests run in the background of a shell script: that has them ignored, and a child
    would inherit it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
