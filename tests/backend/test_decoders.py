"""Prefill and decode are two graphs of one network: decoding token by token is what prefill says of the whole text."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.backend.models import relative_l2

from accelbench.envs.spec import BackendSpec
from accelbench.envs.worker import Worker
from accelbench.model import Target, Task
from accelbench.tensors import Array, Record, TensorSet, TensorWriter
from accelbench.worker.jobs import Job
from accelbench.zoo import catalogue
from accelbench.zoo.materialise import materialise
from accelbench.zoo.samples.draws import Draws
from accelbench.zoo.samples.prompts import text

TINY = Path(__file__).parent / "tasks"
STEPS = 4
CLOSE = 1e-4
"""Relative L2: the two graphs add in another order, and are else the same arithmetic in float32."""

WRONG = 1e-2
"""A position that is wrong by one changes more than that."""

Backend = Callable[[str], BackendSpec]


class Graph:
    """A task's model in a worker, with its seeded weights."""

    def __init__(self, task: Task, folder: Path, spec: BackendSpec, worker: Worker, scratch: Path) -> None:
        model = materialise(task, folder, batch=1)
        self.weights, self.model = model.weights.sha256, model.path
        self.tokens = int(model.inputs[1].shape[1])  # of the attention mask
        self._worker, self._scratch, self._runs = worker, scratch, 0
        (scratch / "work").mkdir(parents=True)
        target = Target(spec.name, worker.devices()[0].id, "fp32", spec.options({}))
        job = Job(str(model.path), model.inputs, model.outputs, target, 1, True, None, str(scratch / "work"))
        worker.load(worker.compile(job).compiled, job)

    def run(self, samples: Sequence[Record]) -> list[Mapping[str, Array]]:
        self._runs += 1
        feeds, out = (self._scratch / f"{name}-{self._runs}" for name in ("feeds", "outputs"))
        with TensorWriter(feeds) as writer:
            for sample in samples:
                writer.append(sample)
        self._worker.infer(feeds, out, batch=1, batched=True)
        return list(TensorSet(out))


@pytest.mark.parametrize("name", ["tiny-llama", "tiny-qwen"])
def test_decoding_token_by_token_equals_prefill(name: str, backend: Backend, tmp_path: Path) -> None:
    agree(name, TINY, backend("onnxruntime"), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("stack", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("name", ["llama-135m", "qwen-0.5b"])
def test_so_do_the_shipped_tasks(name: str, stack: str, backend: Backend, tmp_path: Path) -> None:
    agree(name, catalogue.TASKS, backend(stack), tmp_path)


def agree(name: str, tasks: Path, spec: BackendSpec, scratch: Path) -> None:
    """Prefill of n tokens against prefill of n - STEPS and that many steps, from the logits of each to the keys and
    values of the last; and a position that is wrong by one shows."""
    prefill, decode = (catalogue.load(tasks / f"{name}-{kind}") for kind in ("prefill", "decode"))
    length, first, words = (int(prefill.dataset.options[option]) for option in ("length", "first", "words"))
    ids = text(Draws(5, "agreement"), length - 2, first, words, 0)
    with Worker(spec, scratch / "logs-prefill") as worker:
        whole = Graph(prefill, tasks / prefill.id, spec, worker, scratch / "prefill")
        expected = whole.run([prompt(ids[: len(ids) - left], length) for left in range(STEPS, -1, -1)])
    with Worker(spec, scratch / "logs-decode") as worker:
        step = Graph(decode, tasks / decode.id, spec, worker, scratch / "decode")
        assert step.weights == whole.weights
        assert step.model.parent == whole.model.parent, "one file of weights"
        assert decoded(step, ids, expected, shift=0) < CLOSE
        assert decoded(step, ids, expected, shift=1) > WRONG


def decoded(step: Graph, ids: NDArray[np.int64], expected: Sequence[Record], shift: int) -> float:
    """The worst relative L2 of logits, keys and values over all steps, whose positions are wrong by ``shift``."""
    known = len(ids) - STEPS
    cache = {name: expected[0][name] for name in expected[0] if name != "logits"}
    cache = {name: values[:, values.shape[1] - known :] for name, values in cache.items()}
    worst = 0.0
    for place, target in zip(range(known, len(ids)), expected[1:], strict=True):
        (found,) = step.run([state(ids[place], place, place + shift, cache, step)])
        worst = max(worst, relative_l2(found["logits"], target["logits"]))
        for name in cache:
            new = found[name.replace("present", "new")]
            worst = max(worst, relative_l2(new, target[name][:, -1:]))
            cache[name] = np.concatenate([cache[name], new], axis=1)
    return worst


def prompt(ids: NDArray[np.int64], length: int) -> Record:
    padded, places = np.zeros(length, np.int64), np.arange(length) - (length - len(ids))
    padded[length - len(ids) :] = ids
    return {
        "input_ids": padded,
        "attention_mask": (places >= 0).astype(np.int64),
        "position_ids": np.maximum(places, 0),
    }


def state(token: np.int64, used: int, position: int, cache: Mapping[str, Array], step: Graph) -> Record:
    """The feed of one step: the cached tokens fill the end of the past's places."""
    slots = step.tokens - 1
    past: dict[str, Array] = {}
    for name, values in cache.items():
        heads, _, width = values.shape
        whole = np.zeros((heads, slots, width), np.float32)
        whole[:, slots - used :] = values
        past[name.replace("present", "past_key_values")] = whole
    return {
        "input_ids": np.array([token]),
        "attention_mask": (np.arange(slots + 1) >= slots - used).astype(np.int64),
        "position_ids": np.array([position]),
        **past,
    }
