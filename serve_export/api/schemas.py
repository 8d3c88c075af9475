"""What is asked and answered; the OpenAPI document at `/openapi.json` is made of it."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints, model_validator

from serve_export.predictor import RAW, SIMPLIFIED

_Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
# The length is for readers: the geometry itself checks it, and says where and why.
_Axis = Annotated[list[_Number], Field(json_schema_extra={"minItems": 1})]
_Stroke = Annotated[list[_Axis], Field(json_schema_extra={"minItems": 2})]
Strokes = Annotated[
    list[_Stroke],
    Field(
        json_schema_extra={"minItems": 1},
        description="Strokes `[[xs, ys, …], …]` on any canvas, y down. What follows xs "
        "and ys, such as times, is not looked at.",
        examples=[[[[10, 90, 90], [20, 20, 80]], [[50, 55], [50, 60]]]],
    ),
]
Form = Annotated[
    Literal["raw", "simplified"],
    Field(
        description="raw: as the hand drew it. simplified: as Quick, Draw! publishes "
        "it, integers within 0..255."
    ),
]
TopK = Annotated[
    int, Field(strict=True, ge=1, le=1000, description="How many guesses.")
]
Word = Annotated[str, StringConstraints(min_length=1, max_length=100)]

assert (RAW, SIMPLIFIED) == ("raw", "simplified")  # a Literal cannot name them


class DrawingRequest(BaseModel):
    """Strokes."""

    drawing: Strokes
    format: Form = RAW


class PredictRequest(BaseModel):
    """A drawing in progress or done; or, where the model reads bitmaps, a picture."""

    drawing: Strokes | None = None
    image: Annotated[
        str | None,
        Field(description="PNG in base64; for exports of cnn and mlp."),
    ] = None
    format: Form = RAW
    top_k: TopK = 3

    @model_validator(mode="after")
    def _one_of_both(self) -> "PredictRequest":
        if (self.drawing is None) == (self.image is None):
            raise ValueError("give a drawing or an image")
        return self


class Guess(BaseModel):
    """A word, and how likely it is what was drawn."""

    word: str
    probability: Annotated[float, Field(ge=0, le=1)]


class PredictAnswer(BaseModel):
    """The likeliest first."""

    guesses: list[Guess]


class ScoreRequest(DrawingRequest):
    """A drawing, and what it is meant to show."""

    word: Word
    top_k: TopK = 3


class ScoreAnswer(PredictAnswer):
    """How well a drawing shows a word."""

    word: str
    rank: Annotated[int, Field(ge=1, description="1: it is the first guess.")]
    probability: Annotated[float, Field(ge=0, le=1)]
    score: Annotated[
        int, Field(ge=0, le=100, description="100 times the root of the probability.")
    ]


class KnownClass(BaseModel):
    """A word that the model knows."""

    word: str
    top1: Annotated[
        float | None,
        Field(description="Share of test drawings guessed at once; null if unknown."),
    ]
    example: Annotated[bool, Field(description="Whether /v1/examples has it.")]


class ClassesAnswer(BaseModel):
    """All words, in the order of the model."""

    classes: list[KnownClass]


class AboutAnswer(BaseModel):
    """What is served."""

    words: Annotated[int, Field(ge=1, description="How many the model knows.")]
    attribution: Annotated[str, Field(description="Whose the examples are.")]
    keeps_drawings: Annotated[
        bool, Field(description="Whether /v1/drawings takes what people give.")
    ]


class KeepRequest(DrawingRequest):
    """A drawing to keep, with the consent of who drew it."""

    word: Word
    consent: Annotated[
        Literal[True], Field(description="Whoever drew it agrees that it is kept.")
    ]


class KeepAnswer(BaseModel):
    """What is needed to have it removed again."""

    key_id: str
    secret: str
    recognized: bool
