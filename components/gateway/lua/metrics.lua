-- Counters for Prometheus. Each worker counts in a table of its own and adds it to the shared memory once a second,
-- so that no request waits for a lock.
local metrics = {}
local shared = ngx.shared.metrics
local var = ngx.var
local counted = {}

local BUCKETS = { 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10 } -- seconds
local EVERY = 1

local function add(name, value)
    counted[name] = (counted[name] or 0) + value
end

local function bucket(seconds)
    for index = 1, #BUCKETS do
        if seconds <= BUCKETS[index] then return index end
    end
    return #BUCKETS + 1
end

-- One finished request. Names are "metric{labels}" as Prometheus reads them; only known values become labels.
function metrics.count()
    local route = var.route or ""
    add('gateway_requests_total{route="' .. route .. '",status="' .. ngx.status .. '",decision="' .. var.decision .. '"}', 1)
    local seconds = tonumber(var.request_time) or 0
    add("bucket " .. bucket(seconds) .. " " .. route, 1)
    add("sum " .. route, seconds)
end

local function flush()
    local batch = counted
    counted = {}
    for name, value in pairs(batch) do shared:incr(name, value, 0) end
end

function metrics.start()
    assert(ngx.timer.every(EVERY, flush))
end

function metrics.set(name, value)
    shared:set(name, value)
end

local function histograms(values, lines)
    local routes = {}
    for name in pairs(values) do
        local route = name:match("^sum (.*)$")
        if route then routes[#routes + 1] = route end
    end
    table.sort(routes)
    for _, route in ipairs(routes) do
        local total = 0
        for index = 1, #BUCKETS + 1 do
            total = total + (values["bucket " .. index .. " " .. route] or 0)
            local label = '{route="' .. route .. '",le="' .. (BUCKETS[index] or "+Inf") .. '"} '
            lines[#lines + 1] = "gateway_request_seconds_bucket" .. label .. total
        end
        lines[#lines + 1] = 'gateway_request_seconds_sum{route="' .. route .. '"} ' .. values["sum " .. route]
        lines[#lines + 1] = 'gateway_request_seconds_count{route="' .. route .. '"} ' .. total
    end
end

function metrics.print()
    local values, lines = {}, {}
    for _, name in ipairs(shared:get_keys(0)) do
        values[name] = shared:get(name)
        if name:find("^gateway_") then lines[#lines + 1] = name .. " " .. values[name] end
    end
    table.sort(lines)
    histograms(values, lines)
    lines[#lines + 1] = "gateway_connections_active " .. var.connections_active
    lines[#lines + 1] = "gateway_bans_free_bytes " .. ngx.shared.bans:free_space()
    ngx.print(table.concat(lines, "\n"), "\n")
end

return metrics
