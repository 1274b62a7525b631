"""The language of `results/paper/claims.yaml`: a claim is a sentence of the paper and a predicate.

Predicates say what must be true of numbers that tables hold; they are data and run no code:

- `ahead`: some rows are ahead of others in every column, by a margin per metric. A negative margin
  is how "comparable" is read.
- `loses`: rows are worse on compressed images than on uncompressed ones.
- `recall`: a row's precision is higher than that of others where recall is high.
- `count`: a number of the text is the sum of a table's rows.
- `larger`: one stated number is larger than another.
- `seen`: the claim was judged by eye, and no number can tell.
"""

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from benchmark import ROOT
from benchmark.core.errors import InputError

CLAIMS = ROOT / "results" / "paper" / "claims.yaml"

Table = Literal["III", "IV", "V", "VI", "VII"]
Metric = Literal["PSNR", "SSIM", "PSNR-B", "BEF", "mAP@0.3", "mAP@0.5", "mAP@0.7"]
Order = Literal["enhance", "enhance+deblock", "deblock+enhance", "joint"]
Names = Annotated[list[str], Field(min_length=1)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Rows(_Model):
    """Which rows: by name, or all that the paper's tables print in some orders.

    Exactly one of the two is given.
    """

    methods: Names | None = None
    """As the paper's tables spell them (`reported.csv`), or a control such as Identity."""
    orders: Annotated[list[Order], Field(min_length=1)] | None = None

    def model_post_init(self, _: object) -> None:
        """Refuse a selection of everything, or by two rules."""
        if (self.methods is None) == (self.orders is None):
            raise ValueError("rows are chosen by exactly one of methods and orders")


class Columns(_Model):
    """Which columns of which tables."""

    tables: Annotated[list[Table], Field(min_length=1)]
    metrics: Annotated[list[Metric], Field(min_length=1)]
    datasets: Names | None = None
    """None selects all that the tables have."""
    qfs: list[int] | None = None


class Ahead(_Model):
    """Every row of `subject` is ahead of every row of `rivals` in every column."""

    kind: Literal["ahead"]
    subject: Rows
    rivals: Rows
    columns: Columns
    by: dict[Metric, float] = {}
    """Least lead in the metric's unit; 0 where a metric is not named."""


class Loses(_Model):
    """Rows are worse at every quality factor of the columns than on uncompressed images."""

    kind: Literal["loses"]
    subject: Rows
    columns: Columns


class Recall(_Model):
    """The precision of `subject` is higher than that of `rivals` at high recall."""

    kind: Literal["recall"]
    subject: Rows
    rivals: Rows
    iou: Annotated[float, Field(gt=0.0, lt=1.0)]
    qf: int
    share: Annotated[float, Field(gt=0.0, lt=1.0)]
    """High recall starts at this share of the highest recall that any of them reaches."""


class Count(_Model):
    """`stated` is the number of images in one of the paper's lists."""

    kind: Literal["count"]
    stated: int
    listed: Literal["vae_dark", "mapping_pairs"]


class Larger(_Model):
    """`large` is larger than `small`; both are numbers of the text."""

    kind: Literal["larger"]
    large: float
    small: float
    caveat: Annotated[str, Field(min_length=10)]
    """What the comparison does not show."""


class Seen(_Model):
    """Judged by eye."""

    kind: Literal["seen"]


Predicate = Annotated[Ahead | Loses | Recall | Count | Larger | Seen, Field(discriminator="kind")]


class Claim(_Model):
    """A sentence of the paper and what it means for numbers."""

    key: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    section: str
    quote: Annotated[str, Field(min_length=10)]
    """Words of the paper, as they stand there."""
    reading: Annotated[str, Field(min_length=10)]
    """How the predicate reads them; what the paper leaves open is named."""
    predicate: Predicate


def read(path: Path = CLAIMS) -> list[Claim]:
    """Read claims.

    Raises:
        InputError: The file is missing, breaks the language, or names two claims alike.
    """
    if not path.is_file():
        raise InputError(f"There are no claims at {path}: restore the file from git.")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        claims = TypeAdapter(list[Claim]).validate_python(content)
    except (yaml.YAMLError, ValidationError) as error:
        line = " ".join(str(error).split())
        raise InputError(f"{path} does not hold claims ({line}): correct it.") from error
    keys = [claim.key for claim in claims]
    double = sorted({key for key in keys if keys.count(key) > 1})
    if double:
        raise InputError(f"{path} names {', '.join(double)} twice: rename one.")
    return claims
