"""What the maker of requests needs to know beside the OpenAPI."""

from typing import Any

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def as_lines(ctx: Any, value: Any) -> bytes:
    """Lines as they stand."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


@schemathesis.hook
def before_call(ctx: Any, case: Any, kwargs: Any) -> None:
    """Keep a request that is meant to be good from being wrong in a way that no schema can say.

    Which cursors were given out, and which Idempotency-Key was sent with other lines before, only the engine knows;
    that it refuses both is tested elsewhere.
    """
    if case.meta is not None and case.meta.generation.mode.is_positive:
        if case.query:
            case.query.pop("cursor", None)
        if case.headers and "idempotency-key" in case.headers:
            case.headers["idempotency-key"] = case.id
