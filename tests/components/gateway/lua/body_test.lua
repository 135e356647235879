local check = require "check"
local body = require "body"

local function kind(accept)
    return select(2, body.render(404, accept, "id"))
end

check("nothing asked for", kind(nil), "application/json")
check("anything", kind("*/*"), "application/json")
check("a browser", kind("text/html,application/xhtml+xml,*/*"), "text/html; charset=utf-8")
check("JSON first", kind("application/json, text/html"), "application/json")
check("HTML first", kind("text/html, application/json"), "text/html; charset=utf-8")
check("text", body.render(404, nil, "abc"), '{"error":"not found","status":404,"request_id":"abc"}\n')
check("unknown status", body.render(418, nil, "abc"), '{"error":"error","status":418,"request_id":"abc"}\n')
