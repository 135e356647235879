"""The form of every answer: https://developers.cloudflare.com/fundamentals/api/how-to/make-api-calls.

Numbers of errors are documented for few products. Others are what the API was seen to answer, in public reports; where
nothing is known the number is ``UNKNOWN``.
"""

from collections.abc import Callable, Mapping, Sequence

from pydantic import ValidationError

from simulators.call import Answer, Call, RefusedError
from simulators.store import Row

UNKNOWN = 0
PER_PAGE = 20


def result(value: object, status: int = 200) -> Answer:
    """A success."""
    return Answer(status, {"result": value, "success": True, "errors": [], "messages": []})


def refusal(status: int, code: int, message: str, headers: Mapping[str, str] | None = None) -> RefusedError:
    """A failure."""
    body = {"result": None, "success": False, "errors": [{"code": code, "message": message}], "messages": []}
    return RefusedError(Answer(status, body, headers or {}))


def invalid_body(failed: ValidationError) -> RefusedError:
    """The first field of a request that does not fit."""
    first = failed.errors()[0]
    field = ".".join(str(part) for part in first["loc"]) or "body"
    known = first["type"] != "extra_forbidden"
    return refusal(400, 1004, f"{field}: {first['msg'] if known else 'not known to the API, or not simulated'}")


def not_found(code: int = 7003) -> RefusedError:
    """There is none."""
    return refusal(404, code, "Could not find it, perhaps your object identifier is invalid?")


def page(call: Call, rows: Sequence[Row], view: Callable[[Row], Row]) -> Answer:
    """The page that the query asks for."""
    number, size = _number(call, "page", 1), _number(call, "per_page", PER_PAGE)
    begin = (number - 1) * size
    chosen = [view(row) for row in rows[begin : begin + size]]
    info = {
        "page": number,
        "per_page": size,
        "count": len(chosen),
        "total_count": len(rows),
        "total_pages": -(-len(rows) // size),
    }
    answer = result(chosen)
    return Answer(answer.status, {**(answer.body or {}), "result_info": info})


def _number(call: Call, key: str, default: int) -> int:
    text = call.one(key) or str(default)
    if not text.isdigit() or int(text) < 1:
        raise refusal(400, 1004, f"{key}: not a number above 0")
    return int(text)
