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
local var, get_headers, clear_header = ngx.var, ngx.req.get_headers, ngx.req.clear_header
local config, peer_bytes
local prefix, served = "", 0

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
    config = assert(cjson.decode(read(name)))
    peer_bytes = assert(address.parse(config.peer))
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
    metrics.count("gateway_refused_total", 'decision="' .. decision .. '",reason="' .. reason .. '"')
    return status
end

-- Headers by which a visitor could name another path, method or address than the one that is judged.
local OVERRIDES = {
    "forwarded", "proxy", "x-forwarded-host", "x-forwarded-port", "x-forwarded-prefix", "x-forwarded-server",
    "x-http-method", "x-http-method-override", "x-method-override", "x-original-url", "x-rewrite-url",
}

-- Written out, since a loop would keep the JIT compiler from going on behind it.
local function has_override(h)
    return h["forwarded"] or h["proxy"] or h["x-forwarded-host"] or h["x-forwarded-port"] or h["x-forwarded-prefix"]
        or h["x-forwarded-server"] or h["x-http-method"] or h["x-http-method-override"] or h["x-method-override"]
        or h["x-original-url"] or h["x-rewrite-url"]
end

local function take_overrides_away(headers)
    if not has_override(headers) then return end
    for index = 1, #OVERRIDES do clear_header(OVERRIDES[index]) end
end

-- What a visitor chooses is cut short for the log: a line has to fit into one datagram.
local function shorten(agent, target)
    local agent_end, target_end = ordinary.LONGEST_AGENT, ordinary.LONGEST_TARGET
    if type(agent) == "string" and #agent > agent_end then var.short_agent = agent:sub(1, agent_end) end
    if #target > target_end then var.short_target = target:sub(1, target_end) end
end

-- Whether the target is ordinary; and for the log, whether the request is.
local function look(agent, target)
    local is_plain = ordinary.target(target)
    if not is_plain or not ordinary.agent(agent) then
        var.ordinary = ""
        shorten(agent, target)
    end
    return is_plain
end

-- nginx takes the first of two such headers, other software the last, or all of them: only one is an address.
local function is_one_address(value, bytes)
    if value == nil then return not config.edge end
    return type(value) == "string" and not value:find(",", 1, true) and bytes ~= peer_bytes
end

-- An IPv6 visitor is a /64: for less, nobody needs more than one address to go on.
local function visitor(bytes)
    if #bytes ~= 16 then return bytes end
    local network = bytes:sub(1, 8)
    var.visitor = network
    return network
end

-- 24 random digits of the worker, 8 that count its requests.
local function next_id()
    served = (served + 1) % 0x100000000
    return prefix .. bit.tohex(served)
end

local function hide(decision, reason)
    var.absent = "/" .. var.id
    return refuse("", decision, reason)
end

-- A path that must not be found takes the very way of one that is not there: through the same route, service,
-- limits and error page, under a name that no service can have.
local function judge_path(target, host, is_plain)
    local query = target:find("?", 1, true)
    local raw = query and target:sub(1, query - 1) or target
    local ambiguous = not is_plain and path.ambiguous(raw)
    if ambiguous then return hide("ambiguous", ambiguous) end
    local prefixes = config.admin[host]
    if prefixes and var.operator ~= "1" and path.under_any(raw, prefixes) then return hide("hidden", "admin") end
    return ""
end

-- Status to refuse a request for a known host with; "" lets it on.
function gate.judge()
    var.id = next_id()
    if var.realip_remote_addr ~= config.peer then return refuse("444", "closed", "peer") end
    local headers, problem = get_headers(100)
    -- Names are in lower case. The metatable would spell every missing one anew to look it up again.
    setmetatable(headers, nil)
    local target, host, bytes = var.request_uri, var.host, var.binary_remote_addr
    local is_plain = look(headers["user-agent"], target)
    if problem then return refuse("431", "refused", "headers") end
    if headers.host ~= host then return refuse("444", "closed", "host") end
    if not is_one_address(headers["cf-connecting-ip"], bytes) then return refuse("400", "refused", "address") end
    if config.edge and type(headers["cf-ray"]) ~= "string" then return refuse("400", "refused", "ray") end
    local banned = bans.find(visitor(bytes))
    if banned then return refuse("403", "banned", banned) end
    if headers["x-forwarded-proto"] ~= "https" then
        if headers["x-forwarded-proto"] == "http" then return refuse("308", "redirected", "http") end
        if config.edge then return refuse("400", "refused", "protocol") end
    end
    if target:byte(1) ~= 47 then return refuse("400", "refused", "target") end
    take_overrides_away(headers)
    return judge_path(target, host, is_plain)
end

-- Status to refuse a request with by the header rules of its route; "" lets it on.
function gate.ruled(id)
    local status, reason = rules.verdict(id, get_headers(100))
    return status == "" and "" or refuse(status, "refused", reason)
end

return gate
