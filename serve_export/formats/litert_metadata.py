"""Words and facts inside a `.tflite` file, where LiteRT's own tools find them.

    flatbuffer   the model, with one signature; `TFLITE_METADATA` says what goes in and
                 comes out
    zip          appended: `classes.txt`, `preprocessing.json`, not compressed

So Android's `MetadataExtractor` reads the labels, Netron shows them, and a zip program
unpacks them. Sources: https://ai.google.dev/edge/litert/models/metadata,
`tensorflow_lite_support/metadata/metadata_schema.fbs` of tensorflow/tflite-support,
whose field numbers stand below.
"""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import flatbuffers

from serve_export.layout import CLASSES_ASSET, FACTS_ASSET

SIGNATURE = "serving_default"

_METADATA_NAME = b"TFLITE_METADATA"
_METADATA_IDENTIFIER = b"M001"
_MODEL_IDENTIFIER = b"TFL3"

_LABELS, _DESCRIPTIONS = 2, 1
"""Of `AssociatedFileType`."""


def pack(
    model: bytes, words: Sequence[str], facts: Mapping[str, Any], output: str
) -> bytes:
    """Gives a converted model its signature, its metadata and its files.

    Args:
      model: a flatbuffer with one input and one output.
      words: in the order of the probabilities.
      facts: see `export.facts`; `facts["input"]` names the input.
      output: names the output.
    """
    from ai_edge_litert import schema_py_generated as tflite

    parsed = tflite.ModelT.InitFromPackedBuf(model, 0)
    graph = parsed.subgraphs[0]
    names = {facts["input"]: graph.inputs[0], output: graph.outputs[0]}
    for name, index in names.items():
        graph.tensors[index].name = name
    taken, given = [tflite.TensorMapT(*item) for item in names.items()]
    signature = tflite.SignatureDefT([taken], [given], SIGNATURE, 0)
    parsed.signatureDefs = [signature]
    parsed.description = facts["description"]
    metadata = _metadata(facts, output)
    parsed.buffers.append(tflite.BufferT(data=list(metadata)))
    entry = tflite.MetadataT(_METADATA_NAME, len(parsed.buffers) - 1)
    parsed.metadata = [*(parsed.metadata or []), entry]
    builder = flatbuffers.Builder(len(model) + len(metadata) + 4096)
    builder.Finish(parsed.Pack(builder), _MODEL_IDENTIFIER)
    return _append_files(
        bytes(builder.Output()),
        {
            CLASSES_ASSET: "".join(f"{word}\n" for word in words),
            FACTS_ASSET: json.dumps(facts, indent=1) + "\n",
        },
    )


def unpack(data: bytes) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Gives the words and facts of a file that `pack` made.

    Raises:
      ValueError: it is no such file.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as files:
            words = files.read(CLASSES_ASSET).decode().splitlines()
            return tuple(words), json.loads(files.read(FACTS_ASSET))
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise ValueError(f"no words inside: {error}") from None


def _append_files(model: bytes, files: Mapping[str, str]) -> bytes:
    whole = io.BytesIO()
    whole.write(model)
    with zipfile.ZipFile(whole, "a", zipfile.ZIP_STORED) as archive:
        for name, text in files.items():
            # Of no particular time, so that equal models are equal files.
            archive.writestr(zipfile.ZipInfo(name), text)
    return whole.getvalue()


def _metadata(facts: Mapping[str, Any], output: str) -> bytes:
    """Builds a `ModelMetadata`."""
    builder = flatbuffers.Builder(4096)
    labels = _file(builder, CLASSES_ASSET, "The words, one a line.", _LABELS)
    notes = _file(builder, FACTS_ASSET, "How the input is made.", _DESCRIPTIONS)
    name, text = builder.CreateString(facts["input"]), facts[facts["input"]]
    taken = _table(builder, {0: name, 1: builder.CreateString(text)})
    name = builder.CreateString(output)
    text = builder.CreateString("How likely each word is, 0 to 1; the sum is 1.")
    given = _table(builder, {0: name, 1: text, 6: _vector(builder, labels)})
    graph = _table(builder, {2: _vector(builder, taken), 3: _vector(builder, given)})
    fields = {
        0: builder.CreateString(f"quickdraw-{facts['model']}"),
        1: builder.CreateString(facts["description"]),
        3: _vector(builder, graph),
        4: builder.CreateString("quickdraw-rnn"),
        6: _vector(builder, notes),
        7: builder.CreateString("1.0.0"),
    }
    builder.Finish(_table(builder, fields), _METADATA_IDENTIFIER)
    return bytes(builder.Output())


def _file(builder: flatbuffers.Builder, name: str, description: str, kind: int) -> int:
    """An `AssociatedFile`."""
    name, description = builder.CreateString(name), builder.CreateString(description)
    builder.StartObject(4)
    builder.PrependUOffsetTRelativeSlot(0, name, 0)
    builder.PrependUOffsetTRelativeSlot(1, description, 0)
    builder.PrependInt8Slot(2, kind, 0)
    return builder.EndObject()


def _table(builder: flatbuffers.Builder, fields: Mapping[int, int]) -> int:
    """A table of strings, vectors and tables by field number."""
    builder.StartObject(max(fields) + 1)
    for number, offset in fields.items():
        builder.PrependUOffsetTRelativeSlot(number, offset, 0)
    return builder.EndObject()


def _vector(builder: flatbuffers.Builder, *offsets: int) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return builder.EndVector()
