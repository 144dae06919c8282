"""What commands need that ask a running engine."""

import json
from urllib.error import HTTPError

KEY_VARIABLE = "FOREWARN_API_KEY"
PORT = 8200


def detail_of(error: HTTPError, to: str) -> str:
    """What an answer says of itself; another server's may say nothing."""
    try:
        detail = json.load(error)["detail"]
    except (ValueError, KeyError, TypeError):
        return f"{to}: expected the answer of an engine, got status {error.code}; check the address"
    # What is wrong with a body is a list of faults, each with its place.
    return detail if isinstance(detail, str) else "; ".join(f"{each['loc'][-1]}: {each['msg']}" for each in detail)
