-- The text of an error. It says what the visitor can do with: the status, its meaning, and the id to report.
-- Plain Lua without nginx, so that it can be tested on its own.
local body = {}

local MEANING = {
    [308] = "use https", [400] = "bad request", [401] = "unauthorized", [403] = "forbidden", [404] = "not found",
    [405] = "method not allowed", [408] = "request timeout", [413] = "content too large", [414] = "address too long",
    [429] = "too many requests", [431] = "headers too large", [502] = "unavailable", [503] = "unavailable",
    [504] = "unavailable", [505] = "unknown version",
}

local JSON = '{"error":"%s","status":%d,"request_id":"%s"}\n'
local HTML = '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>%s</title></head>'
    .. "<body><h1>%s</h1><p>%d</p><p>%s</p></body></html>\n"

-- Text and content type. HTML for who asks for it before JSON, which is what browsers do.
function body.render(status, accept, id)
    local meaning = MEANING[status] or "error"
    local html = accept and accept:find("text/html", 1, true)
    local json = accept and accept:find("application/json", 1, true)
    if html and (not json or html < json) then
        return HTML:format(meaning, meaning, status, id), "text/html; charset=utf-8"
    end
    return JSON:format(meaning, status, id), "application/json"
end

return body
