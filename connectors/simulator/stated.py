"""What the figures of config/simulator.yaml are made of: shares, ranges, and groups that say where they come from."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator


def _rising(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] > bounds[1]:
        raise ValueError(f"expected a low and a high bound, got {list(bounds)}")
    return bounds


Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
AYear = Annotated[float, Field(ge=0, le=10)]
Range = Annotated[tuple[float, float], AfterValidator(_rising)]


class Parameters(BaseModel):
    """What every part of the file has in common: no field that nobody reads."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Stated(Parameters):
    """Figures of one origin: a source, or an assumption."""

    source: Annotated[str, Field(min_length=1)] | None = None
    assumption: Literal[True] | None = None

    @model_validator(mode="after")
    def _says_its_origin(self) -> "Stated":
        if (self.source is None) == (self.assumption is None):
            raise ValueError("expected either 'source: ...' or 'assumption: true' beside these figures")
        return self


class Lognormal(Parameters):
    """A lognormal figure by its median and the standard deviation of its logarithm."""

    median: Positive
    spread: Annotated[float, Field(ge=0, le=3)]
