"""General reports of ByteMLPerf, as vendors write them and as they might."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.imports import documents
from tests.unit.imports.accounting import assert_accounted

from accelbench.imports import bytemlperf
from accelbench.imports.source import Origin, json_of
from accelbench.imports.store import FORM
from accelbench.model import Claim, ClaimFigure


def read(document: Any, name: str = "result.json") -> Claim:
    data = json.dumps(document, ensure_ascii=False).encode()
    parsed = json_of(data, name)
    claim = bytemlperf.report(parsed, data, name, Origin())
    assert_accounted(parsed, claim)
    return FORM.identify(claim)


def figure(claim: Claim, name: str, **qualifiers: object) -> ClaimFigure:
    (found,) = (
        each
        for each in claim.figures
        if each.name == name and all(getattr(each, key) == value for key, value in qualifiers.items())
    )
    return found


def test_a_report_keeps_values_units_and_places() -> None:
    claim = read(documents.report())
    assert claim.trust == "claimed"
    assert (claim.text("host"), claim.text("dataset"), claim.text("software")) == (
        "Acme(R) CPU @ 1.00GHz",
        "OPEN_SQUAD",
        None,
    )
    assert claim.task is not None
    assert (claim.task.text, claim.task.id) == ("BERT-TORCH-FP32", "bert-base")
    assert claim.device is not None
    assert (claim.device.text, claim.device.id) == ("HPU", "habana-gaudi2")
    assert claim.device.reason
    p99 = figure(claim, "latency", batch=4, statistic="p99")
    assert (p99.value, p99.unit, p99.precision, p99.scenario, p99.field) == (
        4.5,
        "ms",
        "bf16",
        None,
        "/Performance/1/P99 Latency",
    )
    assert figure(claim, "throughput", batch=1).value == 500
    assert figure(claim, "compile_time").unit == "s"
    assert figure(claim, "mean_difference").unit is None


def test_underscores_stand_for_blanks() -> None:
    rows = [{"BS": 2, "AVG_Latency": 4.0, "P99_Latency": 5.0, "QPS": 500.0}]
    claim = read(documents.report(Performance=rows))
    assert figure(claim, "latency", statistic="mean").value == 4.0
    assert figure(claim, "latency", statistic="p99").batch == 2
    both = read(documents.report(Performance=[{"BS": 2, "AVG_Latency": 4.0, "AVG Latency": 9.0}]))
    assert figure(both, "latency", statistic="mean").value == 9.0
    assert [note.field for note in both.notes if "Latency" in note.field] == ["/Performance/0/AVG_Latency"]


def test_a_drift_that_divides_by_nothing_is_kept_and_marked() -> None:
    claim = read(documents.report())
    assert figure(claim, "max_relative_difference").value == 2558872.0
    assert "artefact" in str(figure(claim, "max_relative_difference").caveat)
    assert figure(claim, "mean_relative_difference").caveat is None


def test_percent_and_fraction_are_not_mixed_up() -> None:
    claim = read(documents.report())
    assert (figure(claim, "f1").unit, figure(claim, "f1").caveat) == ("%", None)
    unclear = figure(read(documents.report(Accuracy={"F1 Score": 0.8025})), "f1")
    assert (unclear.value, unclear.unit) == (0.8025, None)
    assert unclear.caveat
    top1 = figure(read(documents.report(Accuracy={"Top-1": 0.7674})), "top1")
    assert (top1.unit, top1.caveat) == ("ratio", None)
    assert figure(read(documents.report(Accuracy={"Top-1": 76.74})), "top1").unit == "%"
    assert figure(read(documents.report(Accuracy={"F1 Score": 120})), "f1").caveat


def test_what_the_name_of_the_file_says_and_what_was_executed() -> None:
    assert read(documents.report(), "result-fp32.json").caveats == ("the file's name says fp32, the report bf16",)
    assert read(documents.report(), "result-bf16.json").caveats == ()
    assert read(documents.report(), "result.json").caveats == ()


def test_texts_that_are_numbers_are_numbers_and_stay_as_written() -> None:
    claim = read(documents.report(**{"Graph Compile": {"Sparsity Ratio": "0.9375", "Compile Precision": "INT8/BF16"}}))
    sparsity = figure(claim, "sparsity")
    assert (sparsity.value, sparsity.text, sparsity.precision) == (0.9375, "0.9375", "int8/bf16")


def test_a_rate_that_is_not_batch_by_latency_says_so() -> None:
    rows = [{"BS": 4, "QPS": 8000, "AVG Latency": 4.0, "P99 Latency": 4.5}]
    caveat = figure(read(documents.report(Performance=rows)), "throughput").caveat
    assert caveat is not None
    assert caveat.startswith("8 × batch ÷ mean latency")
    assert figure(read(documents.report()), "throughput", batch=4).caveat is None


@pytest.mark.parametrize(
    "performance",
    [
        None,
        [],
        {},
        "-",
        7,
        [None],
        [[{"BS": 8, "QPS": 10}]],
        {"offline": {"rows": [{"BS": 8, "QPS": 10}]}},
        [{"BS": None, "QPS": 10}, {"BS": "8", "QPS": "10.5"}],
        [{"BS": 8, "QPS": {"value": 10}}],
        [{"BS": True, "QPS": False}],
    ],
)
def test_performance_in_any_shape_is_kept(performance: Any) -> None:
    claim = read(documents.report(Performance=performance))
    nested = [each.batch for each in claim.figures if each.name == "throughput"]
    assert nested == {str([[{"BS": 8, "QPS": 10}]]): [8], str({"offline": {"rows": [{"BS": 8, "QPS": 10}]}}): [8]}.get(
        str(performance), nested
    )


def test_what_is_absent_is_not_invented() -> None:
    claim = read({"Model": "RESNET50-TF-FP32", "Backend": "NEWCHIP"})
    assert claim.figures == ()
    assert (claim.device is not None, claim.device and claim.device.id) == (True, None)
    assert (claim.vendor, claim.text("host")) == (None, None)


def test_unknown_fields_are_notes() -> None:
    claim = read(documents.report(备注="新", Version=3))
    assert {(note.field, note.json, note.reason) for note in claim.notes} >= {
        ("/备注", '"新"', "it has no name here"),
        ("/Version", "3", "it has no name here"),
    }


def test_numbers_that_nothing_holds_are_refused_with_their_text() -> None:
    text = json.dumps(documents.report()).replace("70.5", "NaN").replace("80.25", "-Infinity").replace("3.5", "9" * 40)
    data = text.encode()
    document = json_of(data, "result.json")
    claim = bytemlperf.report(document, data, "result.json", Origin())
    assert_accounted(document, claim)
    assert {(each.field, each.text) for each in claim.refused} == {
        ("/Accuracy/Exact Match", "NaN"),
        ("/Accuracy/F1 Score", "-Infinity"),
        ("/Accuracy/Max Diff", "9" * 40),
    }


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.sampled_from(["-", "N/A", "", "0.5", " 7 ", "１２", "1e400", "1_000", "支持", "NaN", "12%"])
    | st.text(max_size=8)
)
keys = st.sampled_from(
    [
        "BS",
        "QPS",
        "AVG Latency",
        "AVG_Latency",
        "P99_Latency",
        "Model",
        "Backend",
        "Accuracy",
        "Performance",
        "厂商",
        "a/b",
    ]
) | st.text(max_size=6)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4))


@settings(max_examples=50)
@given(st.dictionaries(st.sampled_from(list(documents.report())) | keys, values, max_size=8))
def test_no_field_of_any_report_is_lost(changes: dict[str, Any]) -> None:
    changed = documents.report() | changes
    read({"Model": "x", "Backend": "y"} | changed)


@settings(max_examples=50)
@given(st.data())
def test_no_leaf_of_a_report_is_lost_whatever_it_becomes(data: st.DataObject) -> None:
    document = documents.report()
    part = data.draw(st.sampled_from(["Graph Compile", "Accuracy", "Performance"]))
    rows = document[part] if isinstance(document[part], list) else [document[part]]
    for row in rows:
        row[data.draw(st.sampled_from(sorted(row)) | keys)] = data.draw(values)
    read(document)
