"""Loaded by schemathesis: what a client of ours does that a schema cannot say."""
import uuid

import schemathesis
from schemathesis.core.parameters import ParameterLocation


@schemathesis.serializer("application/x-sentry-envelope")
def envelope(ctx, value):
    return {"data": str(value).encode("utf-8", "surrogatepass")}


@schemathesis.hook
def before_call(ctx, case, kwargs):
    # JSON Schema takes 60.0 for an integer, and it is sent so; serde does not. Whole doubles go as integers.
    case.body = whole(case.body)
    # A new key for each request, unless the key is what is being got wrong, or is left out on purpose.
    if case.meta is None or not case.meta.is_negative_at(ParameterLocation.HEADER):
        for name in list(case.headers or {}):
            if name.lower() == "idempotency-key":
                case.headers[name] = str(uuid.uuid4())


def whole(value):
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, dict):
        return {name: whole(item) for name, item in value.items()}
    if isinstance(value, list):
        return [whole(item) for item in value]
    return value
