local check = require "check"

-- As much of nginx as bans.lua asks for: times are seconds that the test sets.
local kept, ends, clock = {}, {}, 0
local store = {}
function store:get(name) return (ends[name] or 0) > clock and kept[name] or nil end
function store:ttl(name) return store:get(name) and ends[name] - clock or nil end
function store:set(name, value, seconds) kept[name], ends[name] = value, clock + (seconds or 1e9) return true end
function store:delete(name) kept[name] = nil end
store.safe_set = store.set
ngx = { shared = { bans = store }, now = function() clock = clock + 0.001 return clock end }

local address = require "address"
local bans = require "bans"

local function find(text)
    local bytes = address.parse(text)
    return bans.find(#bytes == 16 and bytes:sub(1, 8) or bytes)
end

bans.add("203.0.113.7", "ban", 3600)
check("an address", find("203.0.113.7"), "ban")
check("its neighbour", find("203.0.113.8"), nil)
bans.remove("203.0.113.7", "captcha")
check("another kind's end", find("203.0.113.7"), "ban")
bans.remove("203.0.113.7", "ban")
check("its own end", find("203.0.113.7"), nil)

for _, order in ipairs { { "::1", 3600, "::2", 14400 }, { "::2", 14400, "::1", 3600 } } do
    bans.add("2001:db8" .. order[1], "ban", order[2])
    bans.add("2001:db8" .. order[3], "ban", order[4])
    bans.remove("2001:db8::1", "ban")
    check("the shorter of two in a /64 has ended", find("2001:db8::3"), "ban")
    bans.remove("2001:db8::2", "ban")
    check("the longer one too", find("2001:db8::3"), nil)
end

bans.add("2001:db8:8::/46", "captcha", 60)
check("a network", find("2001:db8:b::1"), "captcha")
bans.remove("2001:db8:8::/46", "captcha")
check("a network's end", find("2001:db8:b::1"), nil)
bans.add("192.0.2.1", "ban", 60)
clock = clock + 61
check("time", find("192.0.2.1"), nil)
check("no address", bans.add("nobody", "ban", 60), false)
