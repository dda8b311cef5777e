"""Workers of real processes, on a backend that needs no installation. After each test nothing of it is left."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.unit.envs.stub import ADAPTER, descendants_of_marker, job, stub

from accelbench.envs.process import resident_bytes
from accelbench.envs.worker import Worker
from accelbench.errors import Unsupported, WorkerError
from accelbench.measure import columns
from accelbench.model import Compiled, Plan, Stop
from accelbench.tensors import TensorSet, TensorWriter

MARK = "ACCELBENCH_TEST_MARK"
COMPILED = Compiled(files=(), format="stub", executed_precision="fp32")


@pytest.fixture
def mark(tmp_path: Path) -> Iterator[str]:
    """A line for backend.toml by which the worker's processes are known; none may be left at the end."""
    value = f"{tmp_path.name}-{os.getpid()}"
    yield f'variables = {{ {MARK} = "{value}" }}\n'
    left = descendants_of_marker(f"{MARK}={value}")
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert left == []


def broken(where: str, statement: str) -> str:
    """The stub's adapter with a statement at the beginning of one of its functions."""
    text = ADAPTER.replace(f"def {where}:", f"def {where}:\n    {statement}", 1)
    assert statement in text
    return "import os, signal, subprocess, sys, time\nfrom accelbench.errors import Unsupported\n" + text


def feeds(tmp_path: Path, count: int = 5) -> Path:
    with TensorWriter(tmp_path / "feeds") as writer:
        for i in range(count):
            writer.append({"x": np.full(3, i, np.float32)})
    return tmp_path / "feeds"


def test_all_verbs(tmp_path: Path, mark: str) -> None:
    task = job(tmp_path / "work")
    with Worker(stub(tmp_path / "stub", more=mark), tmp_path / "logs") as worker:
        (device,) = worker.devices()
        assert (device.id, device.name) == ("cpu", "stub")
        build = worker.compile(task)
        assert build.compiled.concurrency == 3
        (artifact,) = build.artifacts
        assert (artifact.name, artifact.size_bytes, artifact.maker) == ("model.bin", 5, "stub 1")
        assert artifact.sha256 == "5994471abb01112afcc18159f6cc74b4f511b99806da59b3caf5a9c173cacfc5"
        assert build.seconds >= 0
        assert worker.load(build.compiled, task) >= 0
        facts = worker.infer(feeds(tmp_path), tmp_path / "out", batch=1, batched=True)
        assert (facts.records, facts.unready) == (5, 0)
        assert TensorSet(tmp_path / "out")[4]["y"].tolist() == [8, 8, 8]
        measured = worker.measure(
            Plan("single_stream", Stop(max_s=0.2)),
            feeds=tmp_path / "feeds",
            outputs=tmp_path / "out",
            columns=tmp_path / "columns",
            batched=True,
            concurrency=build.compiled.concurrency,
        )
        assert len(columns.read(tmp_path / "columns")) == measured.queries > 0
        assert measured.integrity is not None
        assert measured.integrity.worst_relative_l2 == 0.0
        worker.unload()
        with pytest.raises(WorkerError, match="nothing is loaded"):
            worker.infer(tmp_path / "feeds", tmp_path / "again", batch=1, batched=True)


def test_the_vendors_words_become_typed_errors_and_the_worker_lives_on(tmp_path: Path, mark: str) -> None:
    adapter = broken("compile(job)", 'raise Unsupported("operator Foo: no kernel")')
    adapter = adapter.replace(
        "def load(compiled, job):", 'def load(compiled, job):\n    raise ValueError("two\\nlines")'
    )
    with Worker(stub(tmp_path / "stub", adapter, mark), tmp_path / "logs") as worker:
        with pytest.raises(Unsupported, match=r"^operator Foo: no kernel$"):
            worker.compile(job(tmp_path / "work"))
        with pytest.raises(WorkerError, match=r"^load: ValueError: two lines$") as caught:
            worker.load(COMPILED, job(tmp_path / "work"))
        assert caught.value.kind == "raised"
        assert 'raise ValueError("two' in (tmp_path / "logs" / "traceback.txt").read_text()
        assert len(worker.devices()) == 1


@pytest.mark.parametrize(
    ("statement", "kind", "text"),
    [
        ("os.abort()", "crashed", r"the worker died in compile \(SIGABRT\)"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "crashed", r"the worker died in compile \(SIGSEGV\)"),
        ("sys.stderr.write('last words\\n'); os._exit(3)", "crashed", r"\(exit code 3\); stderr ends: last words"),
        ("sys.exit(3)", "raised", "compile: SystemExit: 3"),
        ("return 7", "protocol", r"compile\(\) of the adapter gave a int, not a Compiled"),
        ("return Compiled(('m',), 'f', None)", "protocol", "wrong Compiled: executed_precision"),
        ("return Compiled(('m',), 'f', 'fp32')", "protocol", "names m, which it did not write"),
        ("return Compiled((), 'f', 'fp32', concurrency=np.int64(1))", "protocol", "cannot be written as JSON"),
    ],
)
def test_how_a_step_ends_badly(tmp_path: Path, mark: str, statement: str, kind: str, text: str) -> None:
    adapter = broken("compile(job)", statement)
    with (
        Worker(stub(tmp_path / "stub", adapter, mark), tmp_path / "logs") as worker,
        pytest.raises(WorkerError, match=text) as caught,
    ):
        worker.compile(job(tmp_path / "work"))
    assert caught.value.kind == kind
    assert "\n" not in str(caught.value)


def test_a_hang_is_ended_at_its_time_limit(tmp_path: Path, mark: str) -> None:
    adapter = broken("compile(job)", "time.sleep(60)")
    with Worker(stub(tmp_path / "stub", adapter, mark), tmp_path / "logs", timeout_s=3.0) as worker:
        began = time.monotonic()
        with pytest.raises(WorkerError, match="compile did not end within 3 s") as caught:
            worker.compile(job(tmp_path / "work"))
        assert caught.value.kind == "hung"
        assert time.monotonic() - began < 20
        with pytest.raises(WorkerError, match="has ended already; devices cannot be done"):
            worker.devices()


def test_the_declared_time_limit_holds_without_another(tmp_path: Path, mark: str) -> None:
    more = mark + "[timeouts]\ncompile_s = 0.5\n"
    adapter = broken("compile(job)", "time.sleep(60)")
    with (
        Worker(stub(tmp_path / "stub", adapter, more), tmp_path / "logs") as worker,
        pytest.raises(WorkerError, match=r"within 0.5 s"),
    ):
        worker.compile(job(tmp_path / "work"))


def test_too_much_memory_ends_the_worker(tmp_path: Path, mark: str) -> None:
    adapter = broken("compile(job)", "kept = [(np.ones(2**22), time.sleep(0.05)) for _ in range(200)]")
    limit = 200 << 20
    with (
        Worker(stub(tmp_path / "stub", adapter, mark), tmp_path / "logs", memory_bytes=limit) as worker,
        pytest.raises(
            WorkerError, match=r"compile used 0\.\d\d GiB of memory, more than the limit of 0.20 GiB"
        ) as caught,
    ):
        worker.compile(job(tmp_path / "work"))
    assert caught.value.kind == "memory"


def test_prints_go_to_the_logs_and_never_on_the_wire(tmp_path: Path, mark: str) -> None:
    adapter = broken("compile(job)", "print('o' * 3_000_000); os.write(2, b'e' * 3_000_000)")
    with Worker(stub(tmp_path / "stub", adapter, mark), tmp_path / "logs") as worker:
        worker.compile(job(tmp_path / "work"))
        assert len(worker.devices()) == 1
    for name, letter in (("stdout.txt", "o"), ("stderr.txt", "e")):
        text = (tmp_path / "logs" / name).read_text()
        assert text.startswith("[")
        assert "bytes left out]" in text
        assert 1 << 20 <= len(text) < (1 << 20) + 100
        assert letter * 1000 in text


def test_what_the_vendor_starts_is_ended_too(tmp_path: Path, mark: str) -> None:
    orphan = "subprocess.run(['sh', '-c', 'setsid sleep 300 & sleep 300 &'], check=True)"
    with Worker(stub(tmp_path / "stub", broken("compile(job)", orphan), mark), tmp_path / "logs") as worker:
        worker.compile(job(tmp_path / "work"))
        name = f"{MARK}={mark.split(chr(34))[1]}"
        wait_for(lambda: len(descendants_of_marker(name)) == 4)


def test_an_adapter_that_cannot_be_imported(tmp_path: Path, mark: str) -> None:
    backend = stub(tmp_path / "stub", "import no_such_stack\n", mark)
    with pytest.raises(WorkerError, match="hello: ModuleNotFoundError: No module named 'no_such_stack'"):
        Worker(backend, tmp_path / "logs").__enter__()
    backend = stub(tmp_path / "stub", "x = 1\n", mark)
    with pytest.raises(WorkerError, match=r"has no function devices\(\)"):
        Worker(backend, tmp_path / "logs").__enter__()


def test_the_workers_environment_is_explicit(tmp_path: Path, mark: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("PYTHONPATH", "/surprise")
    monkeypatch.setenv("VENDOR_HOME", "/opt/vendor")
    told = broken("devices()", "told = {k: v for k, v in os.environ.items()}").replace(
        'name="stub"', 'name="stub", properties={**told, "cwd": os.getcwd(), "path": os.pathsep.join(sys.path)}'
    )
    with Worker(stub(tmp_path / "stub", told, 'inherit = ["VENDOR_HOME"]\n' + mark), tmp_path / "logs") as worker:
        properties = worker.devices()[0].properties
    assert properties["VENDOR_HOME"] == "/opt/vendor"
    assert properties[MARK] == mark.split('"')[1]
    assert not {"OMP_NUM_THREADS", "PYTHONPATH"} & set(properties)
    assert properties["cwd"] == properties["TMPDIR"] != str(Path.cwd())
    assert not Path(properties["cwd"]).exists()
    source = str(Path(__file__).parents[3] / "src")
    assert not [entry for entry in properties["path"].split(os.pathsep) if entry.startswith(f"{source}/accelbench")]


def test_a_plan_that_cannot_be_run_says_so(tmp_path: Path, mark: str) -> None:
    task = job(tmp_path / "work")
    with Worker(stub(tmp_path / "stub", more=mark), tmp_path / "logs") as worker:
        worker.load(worker.compile(task).compiled, task)
        worker.infer(feeds(tmp_path), tmp_path / "out", batch=1, batched=True)
        with pytest.raises(WorkerError, match="needs a rate"):
            worker.measure(
                Plan("server", Stop(max_s=0.1)),
                feeds=tmp_path / "feeds",
                outputs=tmp_path / "out",
                columns=tmp_path / "columns",
                batched=True,
                concurrency=1,
            )


def test_queries_that_take_long_are_no_hang(tmp_path: Path, mark: str) -> None:
    adapter = "import time\n" + ADAPTER.replace("def run(self, feed):", "def run(self, feed):\n        time.sleep(0.1)")
    task = job(tmp_path / "work")
    more = f"{mark}\n[timeouts]\nmeasure_s = 0.2\n"
    with Worker(stub(tmp_path / "stub", adapter, more), tmp_path / "logs") as worker:
        worker.load(worker.compile(task).compiled, task)
        worker.infer(feeds(tmp_path, 2), tmp_path / "out", batch=1, batched=True)
        measured = worker.measure(
            Plan("single_stream", Stop(max_s=0.1)),
            feeds=tmp_path / "feeds",
            outputs=tmp_path / "out",
            columns=tmp_path / "columns",
            batched=True,
            concurrency=1,
        )
    assert measured.integrity is not None
    assert len(measured.integrity.unseen_ns) >= 3, "which alone takes longer than the backend's limit"


HOST = """
import sys
from pathlib import Path
from accelbench.envs.spec import read
from accelbench.envs.worker import Worker
with Worker(read(Path(sys.argv[1])), Path(sys.argv[2])) as worker:
    from tests.unit.envs.stub import job
    print("ready", flush=True)
    worker.compile(job(Path(sys.argv[3])))
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_host_that_is_ended_leaves_no_worker(tmp_path: Path, mark: str, number: signal.Signals) -> None:
    orphan = (
        "subprocess.Popen(['setsid', 'sleep', '300']); (job.work / 'busy').write_text(os.getcwd()); time.sleep(300)"
    )
    backend = stub(tmp_path / "stub", broken("compile(job)", orphan), mark)
    argv = [sys.executable, "-c", HOST, str(backend.folder), str(tmp_path / "logs"), str(tmp_path / "work")]
    host = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=Path(__file__).parents[3])
    assert host.stdout is not None
    try:
        assert host.stdout.readline() == b"ready\n"
        busy = tmp_path / "work" / "busy"
        wait_for(lambda: busy.exists() and busy.stat().st_size > 0)
        scratch = Path(busy.read_text())
        assert scratch.is_dir()
        name = f"{MARK}={mark.split(chr(34))[1]}"
        wait_for(lambda: len(descendants_of_marker(name)) == 3)
        host.send_signal(number)
        host.wait(15)
    finally:
        host.kill()
        host.communicate()
    wait_for(lambda: not descendants_of_marker(name) and not scratch.exists())


def test_a_dead_keeper_takes_the_worker_along(tmp_path: Path, mark: str) -> None:
    adapter = broken("compile(job)", "os.kill(os.getppid(), signal.SIGKILL); time.sleep(300)")
    with (
        Worker(stub(tmp_path / "stub", adapter, mark), tmp_path / "logs") as worker,
        pytest.raises(
            WorkerError, match=r"the worker died in compile \(SIGKILL: perhaps the system ran out of memory\)"
        ),
    ):
        worker.compile(job(tmp_path / "work"))


def test_resident_memory_counts_descendants() -> None:
    assert resident_bytes(os.getpid()) > 10 << 20
    assert resident_bytes(2**22 + 1) == 0


def wait_for(condition: Callable[[], bool], limit_s: float = 10.0) -> None:
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, "the awaited did not happen"
        time.sleep(0.02)
