"""MLPerf's tables of results, in both forms, and its system descriptions."""

import json
from typing import Any

import pytest
from tests.unit.imports import documents
from tests.unit.imports.accounting import assert_accounted

from accelbench.errors import UsageError
from accelbench.imports import mlperf
from accelbench.imports.source import Imported, Origin, json_of
from accelbench.imports.store import FORM


def table(*rows: dict[str, Any]) -> list[Imported]:
    data = json.dumps(list(rows)).encode()
    document = json_of(data, "summary_results.json")
    assert mlperf.is_table(document)
    made = list(mlperf.json_table(document, data, "summary_results.json", Origin()))
    for row, one in zip(rows, made, strict=True):
        assert_accounted(row, one.claim)
        FORM.identify(one.claim)
    return made


def test_a_row_in_json() -> None:
    (one,) = table(documents.row())
    claim = one.claim
    assert claim.device is not None
    assert (claim.device.text, claim.device.id) == ("NVIDIA H200-SXM-141GB", "nvidia-h200-sxm")
    assert claim.task is not None
    assert (claim.task.text, claim.task.id) == ("resnet", "resnet50")
    result = next(each for each in claim.figures if each.name == "throughput")
    assert (result.value, result.unit, result.scenario, result.precision) == (1234.5, "samples/s", "offline", "fp8")
    accuracy = {each.name: each.value for each in claim.figures if each.name.startswith("accuracy")}
    assert accuracy == {"accuracy.rouge1": 44.5, "accuracy.tokens_per_sample": 292.5}
    assert claim.text("accuracy") == documents.row()["Accuracy"]
    assert (claim.text("submitter"), claim.text("version"), claim.text("software")) == ("Acme", "v9.0", "AcmeRT 1.0")
    assert (claim.caveats, claim.trust, claim.source.part) == ((), "claimed", "row 1")
    assert json.loads(one.files["summary_results.json"]) == [documents.row()]


@pytest.mark.parametrize(
    ("scenario", "unit", "told"),
    [
        ("Server", "Queries/s", ("throughput", "queries/s", "server", None)),
        ("Interactive", "Tokens/s", ("throughput", "tokens/s", "interactive", None)),
        ("SingleStream", "Latency (ms)", ("latency", "ms", "single_stream", "p90")),
        ("MultiStream", "Latency (ms)", ("latency", "ms", "multi_stream", "p99")),
        ("Offline", "Watts", ("power", "W", "offline", None)),
        ("Sideways", "furlongs", ("result", "furlongs", None, None)),
    ],
)
def test_a_result_is_called_by_its_unit(scenario: str, unit: str, told: tuple[object, ...]) -> None:
    (one,) = table(documents.row(Scenario=scenario, Performance_Units=unit))
    (found,) = (each for each in one.claim.figures if each.field == "/Performance_Result")
    assert (found.name, found.unit, found.scenario, found.statistic) == told


def test_a_row_in_csv_without_an_accelerator() -> None:
    assert mlperf.is_csv(documents.CSV)
    (one,) = mlperf.csv_table(documents.CSV.encode(), "summary.csv", Origin())
    claim = one.claim
    assert claim.device is not None
    assert claim.device.text == "Acme CPU"
    assert "no accelerator" in str(claim.device.reason)
    assert claim.task is not None
    assert (claim.task.text, claim.text("model")) == ("resnet", "my-resnet")
    result = next(each for each in claim.figures if each.name == "latency")
    assert (result.value, result.text, result.unit, result.statistic) == (1.5, "1.5", "ms", "p90")
    assert claim.text("software") == "AcmeRT, 1.0"
    assert claim.caveats == (
        "inferred from another scenario's run, not measured",
        "the submission checker counted 2 errors",
    )
    assert one.files["summary.csv"].decode().splitlines()[0] == documents.HEAD


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (documents.HEAD + ",Units\n", "not 'Units' twice"),
        (documents.HEAD + "\n" + ",".join("x" * 40) + "\n", "row 1 has 40 cells"),
        (documents.HEAD + '\n"open', "not CSV"),
        ("", "first line must name"),
    ],
)
def test_a_table_that_is_none_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        list(mlperf.csv_table(text.encode(), "summary.csv", Origin()))


def test_a_system_description() -> None:
    data = json.dumps(documents.SYSTEM).encode()
    assert mlperf.is_system(documents.SYSTEM)
    claim = mlperf.system(documents.SYSTEM, data, "box.json", Origin()).claim
    assert_accounted(documents.SYSTEM, claim)
    assert claim.kind == "system"
    assert claim.device is not None
    assert claim.device.id == "nvidia-h200-sxm"
    assert (claim.text("host"), claim.text("software")) == ("Acme CPU", "AcmeRT 1.0")
    assert {each.name: each.value for each in claim.figures} == {"devices_per_node": 8, "cores_per_processor": 56}
    assert {note.field: note.reason for note in claim.notes}["/accelerator_frequency"] == "nothing is told"


def test_other_documents_are_no_tables() -> None:
    assert not mlperf.is_table([])
    assert not mlperf.is_table([{"Scenario": "Offline"}])
    assert not mlperf.is_table(documents.row())
    assert not mlperf.is_csv("a,b,c\n1,2,3\n")
    assert not mlperf.is_system(documents.report())
