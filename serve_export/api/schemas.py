"""Requests and responses of `/v1`; the OpenAPI document is made from these types.

msgspec checks types and limits while it parses and stops at the first error, so that a
bad body costs no more than a good one.
"""

import difflib
import re
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from serve_export.api.errors import ApiError

MAX_VALUES = 250_000
"""Most JSON values in a body: bounds the memory of the parsed body."""

MAX_BATCH = 256

EXAMPLE_DRAWING = [[[10, 90, 90], [20, 20, 80]], [[50, 55], [50, 60]]]

# The minimum lengths are documentation; `strokes.check_strokes` says which stroke.
Axis = Annotated[list[float], Meta(extra_json_schema={"minItems": 1})]
Stroke = Annotated[list[Axis], Meta(extra_json_schema={"minItems": 2})]
Drawing = Annotated[
    list[Stroke],
    Meta(
        description="Strokes `[[xs, ys, …], …]` on a canvas of any size, y downwards. "
        "Further lists of a stroke, such as times, are ignored.",
        examples=[EXAMPLE_DRAWING],
        extra_json_schema={"minItems": 1},
    ),
]
Format = Annotated[
    Literal["raw", "simplified"],
    Meta(
        description="raw: as it was drawn. simplified: in the form that Quick, Draw! "
        "publishes, integers within 0..255."
    ),
]
TopK = Annotated[int, Meta(ge=1, le=1000, description="Number of guesses.")]
Word = Annotated[str, Meta(min_length=1, max_length=100)]
Probability = Annotated[float, Meta(ge=0, le=1)]

Request = TypeVar("Request", bound=msgspec.Struct)


class PredictRequest(msgspec.Struct, forbid_unknown_fields=True):
    """One of `drawing`, `drawings` and `image`."""

    drawing: Drawing | UnsetType = UNSET
    drawings: (
        Annotated[
            list[msgspec.Raw],
            Meta(
                description=f"Up to {MAX_BATCH} drawings.",
                examples=[[EXAMPLE_DRAWING]],
                extra_json_schema={
                    "minItems": 1,
                    "maxItems": MAX_BATCH,
                    "items": {"$ref": "#/components/schemas/Drawing"},
                },
            ),
        ]
        | UnsetType
    ) = UNSET
    image: (
        Annotated[
            str, Meta(description="A PNG file in base64, for models that read bitmaps.")
        ]
        | UnsetType
    ) = UNSET
    format: Format = "raw"
    top_k: TopK = 3


class ScoreRequest(msgspec.Struct, forbid_unknown_fields=True):
    """A drawing and the word that it should show."""

    drawing: Drawing
    word: Word
    format: Format = "raw"
    top_k: TopK = 3


class StoreRequest(msgspec.Struct, forbid_unknown_fields=True):
    """A drawing to be stored, with its author's consent."""

    drawing: Drawing
    word: Word
    consent: Annotated[
        bool,
        Meta(
            description="The author agrees that the drawing is stored; must be true.",
            extra_json_schema={"const": True},
        ),
    ]
    format: Format = "raw"


class Guess(msgspec.Struct):
    """A word and its probability."""

    word: str
    probability: Probability


class PredictResponse(msgspec.Struct):
    """The most probable words, in descending order."""

    guesses: list[Guess]


class ErrorDetail(msgspec.Struct):
    """An error."""

    code: str
    message: str


class ErrorResponse(msgspec.Struct):
    """The response to a request that failed."""

    error: ErrorDetail


class DrawingResult(msgspec.Struct):
    """The result for one of several drawings: its guesses, or an error."""

    guesses: list[Guess] | UnsetType = UNSET
    error: ErrorDetail | UnsetType = UNSET


class BatchPredictResponse(msgspec.Struct):
    """The result for each of the `drawings`, in their order."""

    results: list[DrawingResult]


class ScoreResponse(msgspec.Struct):
    """How well a drawing shows a word."""

    word: str
    rank: Annotated[int, Meta(ge=1, description="1 if the word is the first guess.")]
    probability: Probability
    score: Annotated[
        int,
        Meta(ge=0, le=100, description="100 times the square root of the probability."),
    ]
    guesses: list[Guess]


class ClassInfo(msgspec.Struct):
    """A word that the model can guess."""

    word: str
    top1: Annotated[
        Probability | None,
        Meta(description="Top-1 accuracy on test drawings; null if not measured."),
    ]
    example: Annotated[bool, Meta(description="Whether there are example drawings.")]
    examples: Annotated[int, Meta(ge=0, description="Number of example drawings.")]


class ClassesResponse(msgspec.Struct):
    """All words, in the order of the model's output."""

    classes: list[ClassInfo]


class ExamplesResponse(msgspec.Struct):
    """Example drawings of a word."""

    word: str
    drawings: list[Drawing]
    attribution: str


class AboutResponse(msgspec.Struct):
    """What this server offers."""

    words: Annotated[int, Meta(ge=1, description="Number of words.")]
    attribution: Annotated[
        str, Meta(description="Author and license of the example drawings.")
    ]
    keeps_drawings: Annotated[
        bool, Meta(description="Whether `/v1/drawings` stores drawings.")
    ]
    guesses_on_device: Annotated[
        bool, Meta(description="Whether `/web/` has a model for browsers.")
    ]


class StoreResponse(msgspec.Struct):
    """What is needed to delete the drawing again."""

    key_id: str
    secret: str
    recognized: Annotated[
        bool, Meta(description="Whether the word is the model's first guess.")
    ]


class CheckedDrawing(msgspec.Struct):
    """A drawing that a worker has checked and that may be stored.

    Attributes:
      word: what it shows.
      drawing: simplified strokes.
      recognized: whether the word is the model's first guess.
    """

    word: str
    drawing: list[list[list[int]]]
    recognized: bool


class StatusResponse(msgspec.Struct):
    """The state of the server."""

    status: str


def check_size(body: bytes | bytearray, status: int = 422) -> None:
    """Refuses a body with too many JSON values, before it is parsed.

    Raises:
      ApiError: with this status.
    """
    num_values = body.count(b",") + body.count(b"[") + body.count(b"{")
    if num_values > MAX_VALUES:
        raise ApiError(
            status,
            "too_large",
            f"the body has about {num_values:,} values; at most {MAX_VALUES:,} are "
            "accepted",
        )


def parse_request(body: bytearray, decoder: "msgspec.json.Decoder[Request]") -> Request:
    """Parses a body.

    Raises:
      ApiError: it is not JSON, or not such a request.
    """
    check_size(body)
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        message = describe_validation_error(str(error), decoder.type)
        raise ApiError(422, "invalid_request", message)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ApiError(400, "invalid_json", f"the body is not JSON: {error}")


def describe_validation_error(message: str, schema: Any) -> str:
    """Shortens msgspec's message; names the field that a misspelled one resembles."""
    if match := re.fullmatch(r"Object contains unknown field `(.{1,50})`", message):
        fields = [field.name for field in msgspec.structs.fields(schema)]
        similar = difflib.get_close_matches(match[1], fields, 1)
        if similar:
            return f"unknown field {match[1]}; did you mean {similar[0]}?"
        return f"unknown field {match[1]}; known: {', '.join(fields)}"
    return message[:200]
