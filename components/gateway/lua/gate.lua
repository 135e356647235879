-- The order in which a request is judged, cheapest and most certain first. A check either lets it on ("") or gives the
-- status to refuse it with, which nginx answers (answer.lua); decision and reason are for the log.
local cjson = require "cjson.safe"
local address = require "address"
local bans = require "bans"
local bit = require "bit"
local crowdsec = require "crowdsec"
local metrics = require "metrics"
local ordinary = require "ordinary"
local path = require "path"
local rules = require "rules"

local gate = {}
local var, get_headers = ngx.var, ngx.req.get_headers
local config, peer_bytes
local prefix, begun, served = "", "", 0

local function hex(bytes)
    return (bytes:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

local function read(name, bytes)
    local file = assert(io.open(name, "rb"))
    local text = file:read(bytes or "*a")
    file:close()
    return text
end

-- Runs in the master before it forks, so a mistake keeps nginx from starting, and a reload from happening.
function gate.load(name)
    -- Before 1.23 nginx shows the first of two equal headers alone, and a second address would not be noticed.
    assert(ngx.config.nginx_version >= 1023000, "nginx 1.23.0 or newer is needed")
    config = assert(cjson.decode(read(name)))
    peer_bytes = assert(address.parse(config.peer))
    for _, paths in pairs(config.admin) do
        for index, route in ipairs(paths) do paths[index] = path.folded(route) end
    end
    for _, routes in pairs(config.guarded) do
        for index, route in ipairs(routes) do routes[index] = { path = route, folded = path.folded(route) } end
    end
    rules.load(config.rules, read)
    if config.crowdsec then config.crowdsec.key = read(config.crowdsec.key_file) end
end

function gate.start()
    prefix = hex(read("/dev/urandom", 12))
    if config.crowdsec then crowdsec.start(config.crowdsec) end
end

function gate.is_edge(peer)
    return peer == config.peer
end

local function refuse(status, decision, reason)
    var.decided = decision
    var.reason = reason
    var.ordinary = ""
    metrics.count("gateway_refused_total", 'decision="' .. decision .. '",reason="' .. reason .. '"')
    return status
end

-- What a visitor chooses is cut short for the log: a line has to fit into one datagram.
local function shorten(agent, target)
    local agent_end, target_end = ordinary.LONGEST_AGENT, ordinary.LONGEST_TARGET
    if agent and #agent > agent_end then var.short_agent = agent:sub(1, agent_end) end
    if #target > target_end then var.short_target = target:sub(1, target_end) end
end

local ENDS = {}
for number = 0, 255 do ENDS[number] = bit.tohex(number, 2) end

-- 24 random digits of the worker, 8 that count its requests: all but the last two stay for 256 of them.
local function next_id()
    local last = served % 256
    if last == 0 then begun = prefix .. bit.tohex(served / 256, 6) end
    served = (served + 1) % 0x100000000
    return begun .. ENDS[last]
end

-- nginx takes the first of two such headers, other software the last, or all of them: only one is an address. Where it
-- is none, the visitor has the connector's own.
local function is_one_address(value, bytes)
    if value == nil then return not config.edge end
    return not value:find(",", 1, true) and bytes ~= peer_bytes
end

-- nginx joins headers of one name by a comma, so that two of them are never taken for one.
local function is_one(value)
    return value ~= nil and not value:find(",", 1, true)
end

-- Who asks, and for which host.
local function judge_origin(host, bytes)
    if var.realip_remote_addr ~= config.peer then return refuse("444", "closed", "peer") end
    if var.http_host ~= host then return refuse("444", "closed", "host") end
    if not is_one_address(var.http_cf_connecting_ip, bytes) then return refuse("400", "refused", "address") end
    if config.edge and not is_one(var.http_cf_ray) then return refuse("400", "refused", "ray") end
end

-- An IPv6 visitor is a /64: for less, nobody needs more than one address to go on. Operators are never banned: shared
-- blocklists do not know them, and a ban of a network may hold one.
local function judge_visitor(bytes)
    if #bytes == 16 then
        bytes = bytes:sub(1, 8)
        var.visitor = bytes
    end
    local banned = bans.find(bytes)
    if banned and var.operator ~= "1" then return refuse("403", "banned", banned) end
end

local function judge_protocol(protocol)
    if protocol == "https" then return end
    if protocol == "http" then return refuse("308", "redirected", "http") end
    if config.edge then return refuse("400", "refused", "protocol") end
end

-- The request is let on, to a name that no service can have, below the route that visitors have there. Where the root is an
-- admin route there may be none: then the gateway itself answers, as it does for every such path.
local function hide(host, id, decision, reason)
    local route = path.route(var.uri, config.visible[host])
    if route == "" and config.closed[host] and var.operator ~= "1" then return refuse("404", decision, reason) end
    refuse("", decision, reason)
    var.absent = route .. "/" .. id
end

local function is_hidden(host, folded, admin)
    return path.under_any(folded, admin) or config.closed[host] and path.route(var.uri, config.visible[host]) == ""
end

-- A path that must not be found takes the very way of one that is not there: through the same route, service,
-- limits and error page.
local function judge_path(host, id, plain)
    local admin, guarded = config.admin[host], config.guarded[host]
    if plain and not admin and not guarded then return end
    local target = var.request_uri
    if target:byte(1) ~= 47 then return refuse("400", "refused", "target") end
    local raw = path.raw(target)
    local ambiguous = not plain and path.ambiguous(raw)
    if ambiguous then return hide(host, id, "ambiguous", ambiguous) end
    local folded = path.folded(raw)
    if admin and var.operator ~= "1" and is_hidden(host, folded, admin) then
        return hide(host, id, "hidden", "admin")
    end
    if guarded and path.strays(folded, var.uri, guarded) then
        -- The route that is meant may be a sensitive one.
        var.short_target = raw:sub(1, ordinary.LONGEST_TARGET)
        return hide(host, id, "ambiguous", "route")
    end
end

-- Status to refuse a request for a known host with; nil lets it on.
local function verdict(host, id)
    -- nginx has told most requests to be in order (ordinary.conf). The others are judged claim by claim.
    local bytes, agent = var.visitor, var.http_user_agent
    local plain = var.ordinary == "1" and bytes ~= peer_bytes
    if not plain or not ordinary.agent(agent) then
        var.ordinary = ""
        shorten(agent, var.request_uri)
    end
    return not plain and judge_origin(host, bytes)
        or judge_visitor(bytes)
        or not plain and judge_protocol(var.http_x_forwarded_proto)
        or judge_path(host, id, plain)
end

-- The request's id. Where the request is refused, $refusal is the status to do it with.
function gate.judge(host)
    local id = next_id()
    local refusal = verdict(host, id)
    if refusal then var.refusal = refusal end
    return id
end

-- Status to refuse a request with by the header rules of its route; "" lets it on.
function gate.ruled(id)
    local status, reason = rules.verdict(id, get_headers(100))
    return status == "" and "" or refuse(status, "refused", reason)
end

return gate
