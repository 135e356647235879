-- Fetches CrowdSec's decisions into bans.lua: the whole list first, then what changed, every few seconds.
--
-- While CrowdSec does not answer, the last known list stays in force: each ban ends by its own time. The next answer
-- then is a whole list again, since changes may have been missed. It adds to what is known and takes nothing away: a
-- CrowdSec that has lost its memory must not set everyone free.
local cjson = require "cjson.safe"
local bans = require "bans"
local duration = require "duration"
local metrics = require "metrics"

local crowdsec = {}
local config
local whole = true
local answers

-- Told once, not at every poll.
local function tell(problem)
    local answering = problem == nil
    if answering ~= answers then
        ngx.log(ngx.WARN, answering and "CrowdSec answers" or "CrowdSec does not answer, its last list stays in force: ",
            problem or "")
    end
    answers = answering
    metrics.set("gateway_crowdsec_up", answering and 1 or 0)
end

-- Plain HTTP/1.0 on a private network between two containers: the answer ends where the connection does.
local function request(path)
    local socket = ngx.socket.tcp()
    socket:settimeouts(1000, 1000, 10000)
    local connected, problem = socket:connect(config.host, config.port)
    if not connected then return nil, problem end
    socket:send("GET " .. path .. " HTTP/1.0\r\nHost: crowdsec\r\nUser-Agent: gateway/1\r\nX-Api-Key: "
        .. config.key .. "\r\n\r\n")
    local text, reason = socket:receive("*a")
    socket:close()
    if not text then return nil, reason end
    local status, content = text:match("^HTTP/1%.%d (%d+).-\r\n\r\n(.*)$")
    if status ~= "200" then return nil, "status " .. tostring(status) end
    return cjson.decode(content)
end

local function each(list, act)
    if type(list) ~= "table" then return end -- JSON's null
    for index, decision in ipairs(list) do
        local scope = tostring(decision.scope):lower()
        if scope == "ip" or scope == "range" then act(decision) end
        -- A community list has tens of thousands of entries: requests go first.
        if index % 500 == 0 then ngx.sleep(0.001) end
    end
end

local function apply(answer)
    each(answer.deleted, function(decision) bans.remove(decision.value, decision.type) end)
    each(answer.new, function(decision)
        local seconds = duration.seconds(decision.duration)
        if seconds > 0 then
            local kept, problem = bans.add(decision.value, decision.type, seconds)
            if not kept then ngx.log(ngx.ERR, "ban of ", decision.value, " not kept: ", problem) end
        end
    end)
end

local function poll(premature)
    if premature then return end
    local answer, problem = request("/v1/decisions/stream?startup=" .. tostring(whole))
    if answer then
        apply(answer)
        whole = false
        metrics.set("gateway_crowdsec_last_success_seconds", ngx.time())
    else
        whole = true
    end
    tell(not answer and (problem or "no JSON") or nil)
    assert(ngx.timer.at(config.every, poll))
end

-- One worker polls for all. Each poll starts the next one, so that a slow answer is never overtaken.
function crowdsec.start(settings)
    config = settings
    if ngx.worker.id() == 0 then assert(ngx.timer.at(0, poll)) end
end

return crowdsec
