"""The way from a PyTorch model to a server, as docs/production.md tells it."""

import io
import re
import shlex
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from tests.e2e.command import accelbench
from tests.e2e.pages import blocks, text_of

from accelbench.envs.convert import TORCH, install

GUIDE = Path(__file__).parents[2] / "docs" / "production.md"


@pytest.mark.slow
@pytest.mark.backend
def test_the_guide_is_what_happens(tmp_path: Path) -> None:
    train, use, serve = [text for kind, text in blocks(GUIDE) if kind == "python"]
    commands = [shlex.split(line) for kind, text in blocks(GUIDE) if kind == "sh" for line in text.splitlines()]
    for name, text in (("train.py", train), ("use.py", use), ("serve.py", serve)):
        (tmp_path / name).write_text(text)
    torch = install(TORCH, lambda _step: None) / "bin" / "python"
    for words in commands:
        if words[:2] == ["python", "train.py"]:
            subprocess.run([torch, *words[1:]], cwd=tmp_path, check=True, capture_output=True)
        elif words[0] == "accelbench":
            done = accelbench(*words[1:], cwd=tmp_path)
            assert done.returncode == 0, done.stderr
    assert [path.name for path in sorted((tmp_path / "classifier").iterdir())] == sorted(
        name.rstrip("/") for name in re.findall(r"^\| `([\w.]+/?)` \|", text_of(GUIDE), re.MULTILINE)
    )

    used = subprocess.run([sys.executable, "use.py"], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert "pictures float32 (4, 1, 8, 8)" in used.stdout
    assert used.stdout.strip().endswith("evaluated: 0.0")
    own = subprocess.run(
        [sys.executable, "classifier/load.py"], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert "distance from the evaluated outputs: 0 " in own.stdout

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen([sys.executable, "serve.py", "classifier", str(port)], cwd=tmp_path) as server:
        try:
            assert _healthy(f"http://127.0.0.1:{port}/") == b"0.0\n"
            feed = np.random.default_rng(0).random((4, 1, 8, 8), dtype=np.float32)
            with np.load(io.BytesIO(_post(port, pictures=feed))) as outputs:
                assert outputs["scores"].shape == (4, 10)
            with pytest.raises(urllib.error.HTTPError) as refused:
                _post(port, pictures=feed[:1])
            assert refused.value.code == 400
            assert b"is float32 [4, 1, 8, 8], it got float32 [1, 1, 8, 8]" in refused.value.read()
        finally:
            server.terminate()


def _post(port: int, **feed: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> bytes:
    body = io.BytesIO()
    np.savez(body, **feed)  # type: ignore[arg-type]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", data=body.getvalue(), timeout=30) as answer:
        found: bytes = answer.read()
    return found


def _healthy(url: str) -> bytes:
    for _ in range(200):
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                found: bytes = answer.read()
                return found
        except urllib.error.URLError:
            time.sleep(0.1)
    raise AssertionError(f"no answer from {url}")
