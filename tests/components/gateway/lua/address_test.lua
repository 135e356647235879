local check = require "check"
local address = require "address"

local function shown(bytes)
    return bytes and (bytes:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

for text, wanted in pairs {
    ["203.0.113.7"] = "cb007107",
    ["203.0.113.0/24"] = "cb007100",
    ["::"] = ("00"):rep(16),
    ["::1"] = ("00"):rep(15) .. "01",
    ["2001:db8::1"] = "20010db8" .. ("00"):rep(11) .. "01",
    ["2001:db8::/32"] = "20010db8" .. ("00"):rep(12),
    ["1:2:3:4:5:6:7:8"] = "00010002000300040005000600070008",
} do
    check(text, shown(address.parse(text)), wanted)
end

for _, text in ipairs { "", "x", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.4/33", "1:2", "1::2::3", "12345::", "::/129", "1:2:3:4:5:6:7:8:9" } do
    check(text, address.parse(text), nil)
end

check("length of an address", select(2, address.parse("203.0.113.7")), 32)
check("length of a network", select(2, address.parse("2001:db8::/48")), 48)
check("whole", shown(address.mask("\203\0\113\7", 32)), "cb007107")
check("bytes", shown(address.mask("\203\0\113\7", 24)), "cb007100")
check("bits", shown(address.mask("\203\0\113\7", 30)), "cb007104")
check("nothing", shown(address.mask("\203\0\113\7", 0)), "00000000")
