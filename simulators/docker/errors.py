"""How the Engine refuses: a status, and one message."""

from pydantic import ValidationError

from simulators.call import Answer, RefusedError


def error(status: int, message: str) -> RefusedError:
    """An error in the Engine's form."""
    return RefusedError(Answer(status, {"message": message}))


def invalid_body(failed: ValidationError) -> RefusedError:
    """The first field of a request that does not fit."""
    first = failed.errors()[0]
    field = ".".join(str(part) for part in first["loc"]) or "body"
    known = first["type"] != "extra_forbidden"
    return error(400, f"{field}: {first['msg'] if known else 'not known to the Engine, or not simulated'}")
