-- Who is banned, in memory that all workers share and that outlives a reload.
--
-- A key is a masked binary address with its prefix length, "\203\0\113\7" .. "/32", so that finding a visitor takes one look
-- for each prefix length in use: hardly ever more than three. All addresses of an IPv6 /64 share a key, so its value tells
-- whose ban it is: "ban ", and what the key leaves of the address.
local bans = {}
local store = ngx.shared.bans
local address = require "address"

local LENGTHS = "lengths"
local lengths, seen, looked = {}, nil, nil

-- The prefix lengths in use change seldom: they are parsed again only when their text has, and the text is looked at
-- once for all requests of the same millisecond.
local function current_lengths()
    local now = ngx.now()
    if now == looked then return lengths end
    looked = now
    local text = store:get(LENGTHS)
    if text ~= seen then
        seen, lengths = text, {}
        for length in (text or ""):gmatch("%d+") do lengths[#lengths + 1] = tonumber(length) end
    end
    return lengths
end

local function remember_length(length)
    local text = store:get(LENGTHS) or ""
    if not (" " .. text .. " "):find(" " .. length .. " ", 1, true) then
        store:set(LENGTHS, text == "" and tostring(length) or text .. " " .. length)
    end
end

-- Bits of the family are part of the length: 4 bytes are IPv4's 0 to 32, 16 are IPv6's 1000 to 1128.
local function family(bytes)
    return #bytes == 4 and 0 or 1000
end

-- What is held against a visitor ("ban", "captcha"), or nil. An IPv6 visitor is the first 8 bytes of its address.
function bans.find(bytes)
    local found = current_lengths()
    for index = 1, #found do
        local length = found[index]
        local bits = #bytes == 4 and length or length - 1000
        if bits >= 0 and bits <= #bytes * 8 then
            local banned = store:get(address.mask(bytes, bits) .. "/" .. length)
            if banned then return banned:match("^%S+") end
        end
    end
end

-- Its key, the key's length, and what the key leaves of it.
local function key(text)
    local bytes, bits = address.parse(text)
    if not bytes then return nil end
    if #bytes == 16 then bits = math.min(bits, 64) end
    local length = family(bytes) + bits
    return address.mask(#bytes == 16 and bytes:sub(1, 8) or bytes, bits) .. "/" .. length, length, bytes:sub(9)
end

-- Bans an address or a network ("203.0.113.7", "2001:db8::/48") for so many seconds.
function bans.add(text, kind, seconds)
    local name, length, rest = key(text)
    if not name then return false end
    remember_length(length)
    -- Of two bans the longer one holds.
    if (store:ttl(name) or 0) >= seconds then return true end
    -- Never by pushing out another entry: a full list is an error to see, not a ban to lose.
    return store:safe_set(name, kind .. " " .. rest, seconds)
end

-- Only the ban that holds is ended by its own end, and not by that of a shorter one.
function bans.remove(text, kind)
    local name, _, rest = key(text)
    if name and store:get(name) == kind .. " " .. rest then store:delete(name) end
end

return bans
