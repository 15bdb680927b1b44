"""What Clarion tells of itself."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from clarion.settings.addresses import checked_http_url
from clarion.settings.rules import Rule, Whole, between, lowered

LogLevel = Literal["debug", "info", "warning", "error", "critical"]
LogFormat = Literal["auto", "console", "json"]


class Telemetry(BaseModel):
    """Figures, traces and the log."""

    metrics_port: Annotated[Whole | None, between(1, 65535, absent="none")] = Field(
        default=None,
        description="Port where a process tells its own figures and whether it lives (/metrics, /livez,"
        " /readyz), for those that only deliver and for fleets: of several the second takes the next port,"
        " and so on. None, since a single `clarion serve` tells them on its API.",
    )
    tracing_url: Annotated[
        Annotated[str, AfterValidator(checked_http_url)] | None,
        Rule("a URL such as http://collector:4318/v1/traces", absent="no traces"),
    ] = Field(
        default=None,
        description="Where OpenTelemetry traces go, by OTLP over HTTP, from each trigger to the providers'"
        " answers. None, since they cost a little of every send; wants the extra `clarion[tracing]`.",
    )
    tracing_percent: Annotated[Whole, between(1, 100)] = Field(
        default=100,
        description="How many triggers of a hundred are traced. All, which suits a few hundred a second.",
    )
    log_level: Annotated[
        LogLevel, BeforeValidator(lowered), Rule("debug, info, warning, error or critical")
    ] = Field(
        default="info",
        description="Least severe entry that is logged. info tells what an operator acts on; debug adds every"
        " request to a provider.",
    )
    log_format: Annotated[LogFormat, BeforeValidator(lowered), Rule("auto, console or json")] = Field(
        default="auto",
        description="Form of the log. auto is readable text on a terminal and JSON lines anywhere else, where"
        " programs read it.",
    )
