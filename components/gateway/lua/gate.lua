-- The order in which a request is judged, cheapest and most certain first. Every check either lets it on or gives
-- "STATUS decision reason", which nginx answers (answer.lua) and logs.
local cjson = require "cjson.safe"
local bans = require "bans"
local crowdsec = require "crowdsec"
local metrics = require "metrics"
local path = require "path"
local rules = require "rules"

local gate = {}
local var, get_headers = ngx.var, ngx.req.get_headers
local config

local function read(name, bytes)
    local file = assert(io.open(name, "rb"))
    local text = file:read(bytes or "*a")
    file:close()
    return text
end

-- Runs in the master before it forks, so a mistake keeps nginx from starting, and a reload from happening.
function gate.load(name)
    config = assert(cjson.decode(read(name)))
    rules.load(config.rules, read)
    if config.crowdsec then config.crowdsec.key = read(config.crowdsec.key_file) end
end

function gate.start()
    metrics.start()
    if config.crowdsec then crowdsec.start(config.crowdsec) end
end

function gate.is_edge(peer)
    return peer == config.peer
end

-- nginx takes the first of two such headers, other software the last, or all of them: only one is an address.
local function is_one_address(value)
    if value == nil then return not config.edge end
    return type(value) == "string" and not value:find(",", 1, true) and var.remote_addr ~= config.peer
end

-- An IPv6 visitor is a /64: for less, nobody needs more than one address to go on.
local function visitor()
    local address = var.binary_remote_addr
    if #address ~= 16 then return address end
    address = address:sub(1, 8)
    var.visitor_64 = address
    return address
end

local function hide(words)
    var.absent = "/" .. var.request_id
    var.absent_words = words
    return ""
end

-- A path that must not be found takes the very way of one that is not there: through the same route, service,
-- limits and error page, under a name that no service can have.
local function judge_path(raw)
    local ambiguous = path.ambiguous(raw)
    if ambiguous then return hide("ambiguous " .. ambiguous) end
    local prefixes = config.admin[var.host]
    if prefixes and var.operator ~= "1" and path.under_any(raw, prefixes) then return hide("hidden admin") end
    return ""
end

-- The verdict on a request for a known host: "" lets it on.
function gate.judge()
    if var.realip_remote_addr ~= config.peer then return "444 closed peer" end
    local headers, problem = get_headers(100)
    if problem then return "431 refused headers" end
    if headers.host ~= var.host then return "444 closed host" end
    if not is_one_address(headers["cf-connecting-ip"]) then return "400 refused address" end
    if config.edge and type(headers["cf-ray"]) ~= "string" then return "400 refused ray" end
    local banned = bans.find(visitor())
    if banned then return "403 banned " .. banned end
    if headers["x-forwarded-proto"] == "http" then return "308 redirected http" end
    local target = var.request_uri
    if target:byte(1) ~= 47 then return "400 refused target" end
    local query = target:find("?", 1, true)
    return judge_path(query and target:sub(1, query - 1) or target)
end

-- The verdict of a route with header rules of its own.
function gate.ruled(id)
    return rules.verdict(id, get_headers(100))
end

return gate
