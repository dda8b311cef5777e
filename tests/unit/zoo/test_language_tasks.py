"""Tasks of language: their feeds fit their vocabularies, their graphs are what they are said to be."""

from __future__ import annotations

import io
import math
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from tests.unit.zoo.realism import is_prefix, is_realistic

from accelbench.tensors import TensorSet
from accelbench.zoo import catalogue
from accelbench.zoo.feeds import feeds
from accelbench.zoo.weights import checked


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCELBENCH_HOME", str(tmp_path))


@pytest.mark.parametrize("name", ["albert", "roberta", "deberta", "roformer"])
def test_feeds_fit_the_task_and_its_vocabulary(name: str) -> None:
    task = catalogue.find(name)
    task = replace(task, dataset=replace(task.dataset, count=12))
    records = list(TensorSet(feeds(task, catalogue.folder(task)).path))
    assert is_realistic(records)
    assert all(is_prefix(record["attention_mask"]) for record in records)
    for record in records:
        found = {key: (array.dtype.name, array.shape) for key, array in record.items()}
        assert found == {spec.name: (spec.dtype, spec.shape[1:]) for spec in task.inputs}
    table = next(t for t in catalogue.graph(task).graph.initializer if t.name.endswith("word_embeddings.weight"))
    assert task.dataset.options["vocabulary"] == table.dims[0]
    ids = np.concatenate([record["input_ids"] for record in records])
    assert ids.max() < table.dims[0]
    assert ids.max() > 0.9 * table.dims[0], "ids span the table"


def test_albert_uses_the_weights_of_one_layer_twelve_times() -> None:
    graph = catalogue.graph(catalogue.find("albert")).graph
    uses = Counter(name for node in graph.node for name in node.input)
    layer = [t.name for t in graph.initializer if ".albert_layers.0." in t.name]
    assert len(layer) == 16
    assert {uses[name] for name in layer} == {12}


def test_roberta_counts_positions_from_the_ids() -> None:
    graph = catalogue.graph(catalogue.find("roberta")).graph
    assert Counter(node.op_type for node in graph.node)["CumSum"] == 1


def test_deberta_attends_by_content_and_by_position_both_ways() -> None:
    graph = catalogue.graph(catalogue.find("deberta")).graph
    assert Counter(node.op_type for node in graph.node)["GatherElements"] == 2 * 12
    assert max(math.prod(t.dims) for t in graph.initializer if t.data_location == 0) <= 768, "no square of positions"


def test_roformers_table_is_of_sines_and_cosines() -> None:
    folder = catalogue.folder(catalogue.find("roformer"))
    stored = safetensors.numpy.load((folder / "statistics.safetensors").read_bytes())
    table = stored["roformer.encoder.embed_positions.weight"]
    angles = np.arange(1536)[:, None] / 10000 ** (np.arange(32) / 32)
    assert table.dtype == np.float16
    assert np.abs(table - np.concatenate([np.sin(angles), np.cos(angles)], axis=1)).max() < 2**-11


def test_minilms_sentences_are_groups_of_four_in_its_vocabulary() -> None:
    task = catalogue.find("minilm")
    folder = catalogue.folder(task)
    with np.load(io.BytesIO(checked(folder / str(task.dataset.file), task.dataset.sha256))) as stored:
        ids, mask, group = (stored[name] for name in ("input_ids", "attention_mask", "group"))
    texts = (folder / "sentences.txt").read_text(encoding="utf-8").strip().split("\n\n")
    assert [len(text.splitlines()) for text in texts] == [4] * 20
    assert group.tolist() == [number // 4 for number in range(task.dataset.count)]
    assert is_prefix(mask)
    assert (ids[:, 0] == 101).all()
    assert (ids[np.arange(80), mask.sum(axis=1) - 1] == 102).all()
    assert ((ids > 0) == (mask > 0)).all()
    assert ids.max() < 30522
    assert mask.sum(axis=1).max() < 32, "no sentence was cut"
    assert len({row.tobytes() for row in ids}) == 80
