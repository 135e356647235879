"""How the API refuses: https://docs.hetzner.cloud/reference/cloud#errors."""

from typing import Any

from pydantic import ValidationError

from simulators.call import Answer, RefusedError


def error(status: int, code: str, message: str, details: dict[str, Any] | None = None) -> RefusedError:
    """An error in the API's form."""
    return RefusedError(Answer(status, {"error": {"code": code, "message": message, "details": details}}))


def invalid(field: str, message: str) -> RefusedError:
    """A field has a value that can't be."""
    details = {"fields": [{"name": field, "messages": [message]}]}
    return error(422, "invalid_input", f"invalid input in field '{field}': {message}", details)


def invalid_body(failed: ValidationError) -> RefusedError:
    """The first field of a request that does not fit."""
    first = failed.errors()[0]
    field = ".".join(str(part) for part in first["loc"]) or "body"
    known = first["type"] != "extra_forbidden"
    return invalid(field, first["msg"] if known else "not known to the API, or not simulated")


def not_found(kind: str, wanted: object) -> RefusedError:
    """There is none."""
    return error(404, "not_found", f"{kind} with ID '{wanted}' not found")


def taken(field: str, message: str) -> RefusedError:
    """Something has to be unique and is not."""
    return error(409, "uniqueness_error", message, {"fields": [{"name": field}]})


def rate_limited(seconds: int) -> RefusedError:
    """Too many calls."""
    body = {"error": {"code": "rate_limit_exceeded", "message": "Rate limit exceeded", "details": None}}
    return RefusedError(Answer(429, body, {"Retry-After": str(seconds)}))


def locked() -> RefusedError:
    """An action is under way on it."""
    return error(423, "locked", "The item you are trying to access is locked (there is already an action running)")


def protected(kind: str) -> RefusedError:
    """Its protection has to be taken away first."""
    return error(423, "protected", f"{kind} deletion is protected")
