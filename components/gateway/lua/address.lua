-- IP addresses as bytes. Plain Lua without nginx, so that it can be tested on its own.
local address = {}

local function parse_v4(text)
    local parts = { text:match("^(%d+)%.(%d+)%.(%d+)%.(%d+)$") }
    if #parts ~= 4 then return nil end
    for index = 1, 4 do
        parts[index] = tonumber(parts[index])
        if parts[index] > 255 then return nil end
    end
    return string.char(parts[1], parts[2], parts[3], parts[4])
end

local function groups(text)
    local bytes = {}
    for group in text:gmatch("[^:]+") do
        local number = tonumber(group, 16)
        if not number or #group > 4 then return nil end
        bytes[#bytes + 1] = string.char(math.floor(number / 256), number % 256)
    end
    return table.concat(bytes)
end

local function parse_v6(text)
    local head, tail = text:match("^(.-)::(.*)$")
    if not head then
        local bytes = groups(text)
        return bytes and #bytes == 16 and bytes or nil
    end
    if tail:find("::", 1, true) then return nil end
    local first, last = groups(head), groups(tail)
    if not first or not last or #first + #last > 14 then return nil end
    return first .. ("\0"):rep(16 - #first - #last) .. last
end

-- Bytes and prefix length of "192.0.2.1", "192.0.2.0/24", "2001:db8::/32"; nil for anything else.
function address.parse(text)
    local host, length = text:match("^([%x:.]+)/?(%d*)$")
    if not host then return nil end
    local bytes = host:find(":", 1, true) and parse_v6(host) or parse_v4(host)
    if not bytes then return nil end
    local bits = length == "" and #bytes * 8 or tonumber(length)
    if bits > #bytes * 8 then return nil end
    return bytes, bits
end

-- The bytes with all but the first bits set to zero.
function address.mask(bytes, bits)
    local whole = math.floor(bits / 8)
    if whole == #bytes then return bytes end
    local step = 2 ^ (8 - bits % 8)
    local partial = math.floor(bytes:byte(whole + 1) / step) * step
    return bytes:sub(1, whole) .. string.char(partial) .. ("\0"):rep(#bytes - whole - 1)
end

return address
