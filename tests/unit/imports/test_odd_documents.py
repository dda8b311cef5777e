"""Whatever a file holds, an import either keeps every field of it or refuses it in one line."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.imports import documents
from tests.unit.imports.accounting import assert_accounted, told

from accelbench.envs.loadgen_log import DETAIL
from accelbench.errors import UsageError
from accelbench.imports import mlperf
from accelbench.imports.loadgen import loadgen
from accelbench.imports.source import Origin, json_of
from accelbench.imports.store import FORM

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.sampled_from(["", "N/A", "Offline", "Latency (ms)", "acc: 7 x: 1e400 F1:2", "8.0", "H200 SXM", "INVALID"])
    | st.text(max_size=6)
)
values = scalars | st.lists(scalars, max_size=2) | st.dictionaries(st.text(max_size=3), scalars, max_size=2)


@settings(max_examples=50)
@given(st.dictionaries(st.sampled_from([*documents.row(), "", "MlperfModel", "Units", "scenario "]), values))
def test_no_field_of_a_row_is_lost(changes: dict[str, Any]) -> None:
    data = json.dumps([documents.row() | changes]).encode()
    document = json_of(data, "table.json")
    (one,) = mlperf.json_table(document, data, "table.json", Origin())
    assert_accounted(document[0], one.claim)
    assert FORM.identify(one.claim).id
    assert json.loads(one.files["table.json"])


@settings(max_examples=50)
@given(st.dictionaries(st.sampled_from([*documents.SYSTEM, "x"]), values))
def test_no_field_of_a_system_is_lost(changes: dict[str, Any]) -> None:
    data = json.dumps(documents.SYSTEM | changes).encode()
    document = json_of(data, "box.json")
    claim = mlperf.system(document, data, "box.json", Origin()).claim
    assert_accounted(document, claim)
    assert FORM.identify(claim).id


lines = st.lists(
    st.sampled_from(
        [
            "====",
            "MLPerf Results Summary",
            "Scenario : Offline",
            "Samples per second: 7",
            "90.0th percentile latency (ns) : 1e999",
            "Max latency (ns) : -",
            ":::MLLOG {}",
            ':::MLLOG {"key": "loadgen_version", "value": null, "metadata": 3}',
            ':::MLLOG {"key": 7, "value": {"a": [1]}, "metadata": {"is_error": true}}',
        ]
    )
    | st.text(max_size=12),
    max_size=12,
)


@settings(max_examples=50)
@given(lines, lines)
def test_a_log_of_any_lines_is_kept(summary: list[str], detail: list[str]) -> None:
    texts = ("\n".join(summary).encode("utf-8", "ignore"), "\n".join(detail).encode("utf-8", "ignore"))
    try:
        claim = loadgen(*texts, Origin()).claim
    except UsageError:
        assert not texts[0].decode("utf-8-sig").replace("=", "").strip()
        return
    assert FORM.identify(claim).id
    fields = {field.split("/")[1] for field in told(claim) if field.startswith(f"{DETAIL}#/")}
    assert fields == {str(number) for number in range(len(texts[1].decode("utf-8-sig").splitlines()))}


@given(st.binary(max_size=40) | st.text(alphabet='a,"\n;\r', max_size=30).map(str.encode))
def test_a_table_is_read_or_refused(data: bytes) -> None:
    complaints = []
    for read in (lambda: list(mlperf.csv_table(data, "t.csv", Origin())), lambda: json_of(data, "t.json")):
        try:
            read()
        except UsageError as error:
            complaints.append(str(error))
    assert not any("\n" in complaint for complaint in complaints)
