-- Go's way to write a span of time: "3h59m47.1s". Plain Lua without nginx, so that it can be tested on its own.
local duration = {}

local SECONDS = { h = 3600, m = 60, s = 1, ms = 0.001, ["µs"] = 0.000001, ns = 0.000000001 }

-- Seconds; 0 for what is no span or lies in the past ("-5s").
function duration.seconds(text)
    if type(text) ~= "string" or text:sub(1, 1) == "-" then return 0 end
    local total = 0
    for number, unit in text:gmatch("([%d.]+)([^%d.]+)") do
        total = total + (tonumber(number) or 0) * (SECONDS[unit] or 0)
    end
    return total
end

return duration
