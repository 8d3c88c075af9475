"""Classes and metadata inside a `.tflite` file.

    flatbuffer  the model with one signature; `TFLITE_METADATA` describes its input and
                output
    zip         appended: `classes.txt` and `preprocessing.json`, not compressed

Android's `MetadataExtractor` reads the labels, Netron shows them, and a zip program
extracts them.

Sources: https://ai.google.dev/edge/litert/models/metadata, and for the field numbers
`tensorflow_lite_support/metadata/metadata_schema.fbs` of tensorflow/tflite-support.
"""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import flatbuffers

from serve_export.layout import CLASSES_FILE, PREPROCESSING_FILE

SIGNATURE_NAME = "serving_default"

_METADATA_NAME = b"TFLITE_METADATA"
_METADATA_IDENTIFIER = b"M001"
_MODEL_IDENTIFIER = b"TFL3"

_DESCRIPTIONS, _TENSOR_AXIS_LABELS = 1, 2
"""Values of `AssociatedFileType`."""


def add_metadata(
    model: bytes,
    classes: Sequence[str],
    preprocessing: Mapping[str, Any],
    output_name: str,
) -> bytes:
    """Adds a signature, metadata and the associated files to a LiteRT model.

    Args:
      model: a flatbuffer with one input and one output.
      classes: in the order of the probabilities.
      preprocessing: see `describe_preprocessing`; `preprocessing["input"]` names the
        input.
      output_name: name of the output.

    Returns:
      The content of the `.tflite` file.
    """
    from ai_edge_litert import schema_py_generated as tflite

    parsed = tflite.ModelT.InitFromPackedBuf(model, 0)
    graph = parsed.subgraphs[0]
    tensors = {preprocessing["input"]: graph.inputs[0], output_name: graph.outputs[0]}
    for name, index in tensors.items():
        graph.tensors[index].name = name
    inputs, outputs = ([tflite.TensorMapT(*item)] for item in tensors.items())
    parsed.signatureDefs = [tflite.SignatureDefT(inputs, outputs, SIGNATURE_NAME, 0)]
    parsed.description = preprocessing["description"]
    metadata = _build_model_metadata(preprocessing, output_name)
    parsed.buffers.append(tflite.BufferT(data=list(metadata)))
    entry = tflite.MetadataT(_METADATA_NAME, len(parsed.buffers) - 1)
    parsed.metadata = [*(parsed.metadata or []), entry]
    builder = flatbuffers.Builder(len(model) + len(metadata) + 4096)
    builder.Finish(parsed.Pack(builder), _MODEL_IDENTIFIER)
    return _append_zip(
        bytes(builder.Output()),
        {
            CLASSES_FILE: "".join(f"{word}\n" for word in classes),
            PREPROCESSING_FILE: json.dumps(preprocessing, indent=1) + "\n",
        },
    )


def read_metadata(data: bytes) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Returns the classes and the preprocessing of a file made by `add_metadata`.

    Raises:
      ValueError: the file has none.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as files:
            classes = files.read(CLASSES_FILE).decode().splitlines()
            return tuple(classes), json.loads(files.read(PREPROCESSING_FILE))
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise ValueError(f"it contains no classes: {error}") from None


def _append_zip(model: bytes, files: Mapping[str, str]) -> bytes:
    data = io.BytesIO()
    data.write(model)
    with zipfile.ZipFile(data, "a", zipfile.ZIP_STORED) as archive:
        for name, text in files.items():
            # A ZipInfo without a date: equal models give equal files.
            archive.writestr(zipfile.ZipInfo(name), text)
    return data.getvalue()


def _build_model_metadata(preprocessing: Mapping[str, Any], output_name: str) -> bytes:
    """Builds a `ModelMetadata` flatbuffer."""
    builder = flatbuffers.Builder(4096)
    labels = _build_associated_file(
        builder, CLASSES_FILE, "The classes, one per line.", _TENSOR_AXIS_LABELS
    )
    notes = _build_associated_file(
        builder, PREPROCESSING_FILE, "How to make the input.", _DESCRIPTIONS
    )
    input_name = preprocessing["input"]
    input_tensor = _build_table(
        builder,
        {
            0: builder.CreateString(input_name),
            1: builder.CreateString(preprocessing[input_name]),
        },
    )
    output_tensor = _build_table(
        builder,
        {
            0: builder.CreateString(output_name),
            1: builder.CreateString("Probability of each class; they sum to 1."),
            6: _build_vector(builder, labels),
        },
    )
    subgraph = _build_table(
        builder,
        {
            2: _build_vector(builder, input_tensor),
            3: _build_vector(builder, output_tensor),
        },
    )
    model = _build_table(
        builder,
        {
            0: builder.CreateString(f"quickdraw-{preprocessing['model']}"),
            1: builder.CreateString(preprocessing["description"]),
            3: _build_vector(builder, subgraph),
            4: builder.CreateString("quickdraw-rnn"),
            6: _build_vector(builder, notes),
            7: builder.CreateString("1.0.0"),
        },
    )
    builder.Finish(model, _METADATA_IDENTIFIER)
    return bytes(builder.Output())


def _build_associated_file(
    builder: flatbuffers.Builder, name: str, description: str, file_type: int
) -> int:
    name_offset = builder.CreateString(name)
    description_offset = builder.CreateString(description)
    builder.StartObject(4)
    builder.PrependUOffsetTRelativeSlot(0, name_offset, 0)
    builder.PrependUOffsetTRelativeSlot(1, description_offset, 0)
    builder.PrependInt8Slot(2, file_type, 0)
    return builder.EndObject()


def _build_table(builder: flatbuffers.Builder, offsets: Mapping[int, int]) -> int:
    """Builds a table of strings, vectors and tables, given by field number."""
    builder.StartObject(max(offsets) + 1)
    for number, offset in offsets.items():
        builder.PrependUOffsetTRelativeSlot(number, offset, 0)
    return builder.EndObject()


def _build_vector(builder: flatbuffers.Builder, offset: int) -> int:
    """Builds a vector with one element."""
    builder.StartVector(4, 1, 4)
    builder.PrependUOffsetTRelative(offset)
    return builder.EndVector()
