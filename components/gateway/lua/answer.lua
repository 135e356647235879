-- What a visitor sees when the answer is an error: one body, whoever made the error, JSON or HTML as asked for.
local answer = {}
local body = require "body"
local metrics = require "metrics"

local function decide(decision, reason)
    ngx.var.decided, ngx.var.reason, ngx.var.ordinary = decision, reason, ""
    metrics.count("gateway_refused_total", 'decision="' .. decision .. '",reason="' .. reason .. '"')
end

local function send(status)
    ngx.status = status
    ngx.header["Cache-Control"] = "no-store"
    if status == 429 then ngx.header["Retry-After"] = "1" end
    local text, kind = body.render(status, ngx.var.http_accept, ngx.var.id)
    ngx.header["Content-Type"] = kind
    ngx.header["Content-Length"] = #text
    ngx.print(text)
    return ngx.exit(ngx.OK)
end

-- The web's own address for a request that came over HTTP. 308 keeps the method, so a form is not turned into a GET.
local function redirect(status)
    ngx.header["Location"] = "https://" .. ngx.var.host .. ngx.var.request_uri
    return send(status)
end

-- An error of nginx or of a service.
function answer.error()
    if not gate.is_edge(ngx.var.realip_remote_addr) then return ngx.exit(444) end
    local status = ngx.status
    -- Where no service took part and the gate had no say, nginx itself found the request to be wrong.
    if (ngx.var.decided or "") == "" and (ngx.var.upstream_status or "") == "" then
        decide("refused", "malformed")
    end
    metrics.failed()
    return send(status)
end

-- A request too broken to have a host: cloudflared learns that it was bad, anyone else nothing.
function answer.broken()
    return answer.error()
end

local function replaced(text, old, new)
    return (text:gsub((old:gsub("%W", "%%%0")), (new:gsub("%%", "%%%%"))))
end

-- A service that redirects ("/login?next=/…") repeats the path it got, which for a hidden request is one of ours: the
-- visitor is shown the path that was asked for, as it would be for one that is not there. Below a route a service may know
-- the rest of the path alone.
function answer.unmask()
    local absent, location = ngx.var.absent, ngx.header["Location"]
    if absent == "" or type(location) ~= "string" then return end
    local asked = ngx.var.request_uri:match("^/([^?]*)")
    local below, id = absent:match("^/(.-)([^/]*)$")
    local rest = asked:sub(1, #below) == below and asked:sub(#below + 1) or asked
    ngx.header["Location"] = replaced(replaced(location, below .. id, asked), id, rest)
end

function answer.limited()
    decide("limited", ngx.var.limit_req_status == "REJECTED" and "rate" or "connections")
    return send(429)
end

-- A verdict of the gate.
function answer.refused()
    local status = tonumber(ngx.var.refusal)
    if status == 444 then return ngx.exit(444) end
    if status == 308 then return redirect(status) end
    return send(status)
end

return answer
