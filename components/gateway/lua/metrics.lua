-- Counters for Prometheus, of what is not as it should be: counting every request would cost each of them more than
-- any other check, and nginx already counts them in sum. Times are in the log.
local metrics = {}
local shared = ngx.shared.metrics

-- Adds one to a counter. Labels are written as Prometheus reads them; only values of our own become labels.
function metrics.count(name, labels)
    shared:incr(name .. "{" .. labels .. "}", 1, 0)
end

function metrics.set(name, value)
    shared:set(name, value)
end

function metrics.failed()
    local status = ngx.status
    if status >= 500 then
        metrics.count("gateway_errors_total", 'route="' .. (ngx.var.route or "") .. '",status="' .. status .. '"')
    end
end

-- nginx tells its sum of requests only on this page: "accepts handled requests\n 16 16 31".
local function requests()
    local page = ngx.location.capture("/connections").body or ""
    return page:match("requests%s+%d+%s+%d+%s+(%d+)") or "0"
end

function metrics.print()
    local lines = {}
    for _, name in ipairs(shared:get_keys(0)) do lines[#lines + 1] = name .. " " .. shared:get(name) end
    table.sort(lines)
    lines[#lines + 1] = "gateway_requests_total " .. requests()
    lines[#lines + 1] = "gateway_connections_active " .. ngx.var.connections_active
    lines[#lines + 1] = "gateway_bans_free_bytes " .. ngx.shared.bans:free_space()
    ngx.print(table.concat(lines, "\n"), "\n")
end

return metrics
