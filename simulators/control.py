"""What a test asks of the simulator itself, under ``/_simulator``. No cloud has these paths.

GET    state      every table, with what the API never shows
POST   reset      forget everything
GET    history    calls in order, and every state of what is watched
POST   faults     plan a fault (see ``faults.Fault``); GET: those still to come; DELETE: none any more
POST   clock      {"advance": seconds}
"""

from pydantic import ValidationError

from simulators.api import Api
from simulators.call import Answer, Call, Route
from simulators.faults import Fault

PREFIX = "/_simulator"


def routes(api: Api) -> list[Route]:
    """The control paths of one simulator."""

    def state(_: Call) -> Answer:
        api.settle(api.store, api.clock)
        return Answer(200, {"tables": api.store.tables})

    def change(call: Call) -> Answer:
        api.store.table(call.match["table"])[call.match["id"]].update(call.body)
        return Answer(204)

    def reset(_: Call) -> Answer:
        api.store.reset()
        api.faults.clear()
        api.seed(api.store)
        return Answer(204)

    def history(_: Call) -> Answer:
        api.settle(api.store, api.clock)
        api.remember()
        return Answer(200, {"calls": api.store.calls, "states": api.store.states})

    def plan(call: Call) -> Answer:
        try:
            api.faults.plan(call.read(Fault))
        except ValidationError as error:
            return Answer(422, {"error": str(error)})
        return Answer(204)

    def pending(_: Call) -> Answer:
        return Answer(200, {"faults": [fault.model_dump() for fault in api.faults.pending()]})

    def clear(_: Call) -> Answer:
        api.faults.clear()
        return Answer(204)

    def clock(call: Call) -> Answer:
        api.clock.advance(float(call.body["advance"]))
        return Answer(204)

    return [
        Route("GET", "/state", state),
        Route("PATCH", "/state/{table}/{id}", change),
        Route("POST", "/reset", reset),
        Route("GET", "/history", history),
        Route("POST", "/faults", plan),
        Route("GET", "/faults", pending),
        Route("DELETE", "/faults", clear),
        Route("POST", "/clock", clock),
    ]
