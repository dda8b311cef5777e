"""Makes small models of foreign formats, in the environment of the converter that reads them:
``tools_make.py torch|tflite FOLDER``."""

import sys
from pathlib import Path
from typing import Any

import numpy as np

RNG = np.random.default_rng(2)


def torch_models(folder: Path) -> None:
    """``net.pt2``, an exported program with any number of rows, and ``bert``, a transformers folder; with samples."""
    import torch
    import transformers

    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.ReLU(), torch.nn.Linear(8, 4)).eval()
    rows = torch.export.Dim("rows")
    torch.export.save(
        torch.export.export(net, (torch.zeros(2, 6),), dynamic_shapes=({0: rows},)), str(folder / "net.pt2")
    )
    np.savez(folder / "net.npz", input=RNG.standard_normal((12, 6)).astype(np.float32))
    config = transformers.BertConfig(
        vocab_size=50, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, num_labels=3,
        initializer_range=0.5,
    )  # fmt: skip
    transformers.BertForSequenceClassification(config).save_pretrained(folder / "bert")
    ids = RNG.integers(1, 50, (12, 9))
    mask = (np.arange(9) < RNG.integers(3, 10, 12)[:, None]).astype(np.int64)
    np.savez(folder / "bert.npz", input_ids=ids * mask, attention_mask=mask)


def tflite_model(folder: Path) -> None:
    """``dense.tflite``: a fully connected layer of 3 × 5 with a bias, and the weights that it has."""
    import flatbuffers
    import tflite

    weights, bias = RNG.standard_normal((5, 3)).astype(np.float32), RNG.standard_normal(5).astype(np.float32)
    made = flatbuffers.Builder(1024)

    def vector(start: Any, items: list[int], offsets: bool) -> int:
        start(made, len(items))
        for item in reversed(items):
            made.PrependUOffsetTRelative(item) if offsets else made.PrependInt32(item)
        return int(made.EndVector())

    buffers = []
    for content in (b"", weights.tobytes(), bias.tobytes()):
        data = made.CreateByteVector(content) if content else None
        tflite.BufferStart(made)
        if data is not None:
            tflite.BufferAddData(made, data)
        buffers.append(tflite.BufferEnd(made))
    tensors = []
    for name, shape, buffer in (("x", [1, 3], 0), ("w", [5, 3], 1), ("b", [5], 2), ("y", [1, 5], 0)):
        called, sizes = made.CreateString(name), vector(tflite.TensorStartShapeVector, shape, False)
        tflite.TensorStart(made)
        tflite.TensorAddShape(made, sizes)
        tflite.TensorAddType(made, tflite.TensorType.FLOAT32)
        tflite.TensorAddBuffer(made, buffer)
        tflite.TensorAddName(made, called)
        tensors.append(tflite.TensorEnd(made))
    tflite.FullyConnectedOptionsStart(made)
    options = tflite.FullyConnectedOptionsEnd(made)
    read = vector(tflite.OperatorStartInputsVector, [0, 1, 2], False)
    written = vector(tflite.OperatorStartOutputsVector, [3], False)
    tflite.OperatorStart(made)
    tflite.OperatorAddOpcodeIndex(made, 0)
    tflite.OperatorAddInputs(made, read)
    tflite.OperatorAddOutputs(made, written)
    tflite.OperatorAddBuiltinOptionsType(made, tflite.BuiltinOptions.FullyConnectedOptions)
    tflite.OperatorAddBuiltinOptions(made, options)
    operators = vector(tflite.SubGraphStartOperatorsVector, [tflite.OperatorEnd(made)], True)
    all_tensors = vector(tflite.SubGraphStartTensorsVector, tensors, True)
    first = vector(tflite.SubGraphStartInputsVector, [0], False)
    last = vector(tflite.SubGraphStartOutputsVector, [3], False)
    tflite.SubGraphStart(made)
    tflite.SubGraphAddTensors(made, all_tensors)
    tflite.SubGraphAddInputs(made, first)
    tflite.SubGraphAddOutputs(made, last)
    tflite.SubGraphAddOperators(made, operators)
    graphs = vector(tflite.ModelStartSubgraphsVector, [tflite.SubGraphEnd(made)], True)
    tflite.OperatorCodeStart(made)
    tflite.OperatorCodeAddDeprecatedBuiltinCode(made, tflite.BuiltinOperator.FULLY_CONNECTED)
    tflite.OperatorCodeAddBuiltinCode(made, tflite.BuiltinOperator.FULLY_CONNECTED)
    tflite.OperatorCodeAddVersion(made, 1)
    codes = vector(tflite.ModelStartOperatorCodesVector, [tflite.OperatorCodeEnd(made)], True)
    kept = vector(tflite.ModelStartBuffersVector, buffers, True)
    tflite.ModelStart(made)
    tflite.ModelAddVersion(made, 3)
    tflite.ModelAddOperatorCodes(made, codes)
    tflite.ModelAddSubgraphs(made, graphs)
    tflite.ModelAddBuffers(made, kept)
    made.Finish(tflite.ModelEnd(made), file_identifier=b"TFL3")
    (folder / "dense.tflite").write_bytes(made.Output())
    x = RNG.standard_normal((12, 3)).astype(np.float32)
    np.savez(folder / "dense.npz", x=x)
    np.savez(folder / "dense-truth.npz", y=x @ weights.T + bias)


if __name__ == "__main__":
    {"torch": torch_models, "tflite": tflite_model}[sys.argv[1]](Path(sys.argv[2]))
