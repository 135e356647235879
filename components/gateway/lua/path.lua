-- What a path means. nginx chooses a route by the decoded, cleaned path, while the service gets the path as it was
-- sent, and may read it in another way. So a path with more than one reading is treated as one that does not exist,
-- and the path of an admin route, or of one with conditions, is recognised in every spelling that some service might take
-- for it.
--
-- Plain Lua without nginx, so that it can be tested on its own.
local path = {}

local ROUNDS = 3 -- of percent-decoding: "%25252e" is a dot only to software that decodes three times

local function decode(text)
    return (text:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end))
end

-- A target without its query, as it was sent.
function path.raw(target)
    local query = target:find("?", 1, true)
    return query and target:sub(1, query - 1) or target
end

-- A sequence's first byte says how many follow, and bounds the first of them: no overlong forms, no surrogates.
local function sequence(first)
    if first < 0x80 then return 0, 0x80, 0xBF end
    if first >= 0xC2 and first <= 0xDF then return 1, 0x80, 0xBF end
    if first == 0xE0 then return 2, 0xA0, 0xBF end
    if first == 0xED then return 2, 0x80, 0x9F end
    if first >= 0xE1 and first <= 0xEF then return 2, 0x80, 0xBF end
    if first == 0xF0 then return 3, 0x90, 0xBF end
    if first >= 0xF1 and first <= 0xF3 then return 3, 0x80, 0xBF end
    if first == 0xF4 then return 3, 0x80, 0x8F end
end

function path.is_utf8(text)
    local at = 1
    while at <= #text do
        local more, low, high = sequence(text:byte(at))
        if not more then return false end
        for offset = 1, more do
            local byte = text:byte(at + offset)
            if not byte or byte < low or byte > high then return false end
            low, high = 0x80, 0xBF
        end
        at = at + 1 + more
    end
    return true
end

-- Characters that stand for themselves everywhere. A table and not a pattern, since the JIT compiler knows no patterns.
local PLAIN = {}
for byte = 0, 255 do PLAIN[byte] = string.char(byte):find("[%w%-_~!$&'()*+,:@=/.;]") ~= nil end

local SLASH, DOT = 47, 46

-- Nothing to decode, and no segment that begins with a dot: almost every path.
local function is_plain(text)
    local before
    for index = 1, #text do
        local byte = text:byte(index)
        if not PLAIN[byte] or (byte == DOT and before == SLASH) then return false end
        before = byte
    end
    return true
end

local function has_dot_segment(text)
    return (text .. "/"):find("/%.%.?[/;?#]") ~= nil
end

-- Why a path has no single meaning, or nil.
function path.ambiguous(text)
    if is_plain(text) then return nil end
    if text:find("[%c\127-\255\\#]") then return "bytes" end
    for _ = 1, ROUNDS do
        if has_dot_segment(text) then return "dots" end
        local decoded = decode(text)
        if decoded == text then return nil end
        text = decoded
        if text:find("[%c\127\\]") or not path.is_utf8(text) then return "bytes" end
    end
    return has_dot_segment(text) and "dots" or nil
end

-- The path as the most lenient service would read it: decoded, lower case, without parameters, empty segments, and
-- the dots and spaces at a segment's end that Windows drops.
local function fold(text)
    for _ = 1, ROUNDS do text = decode(text) end
    text = text:lower():gsub("\\", "/"):gsub("[?#].*", ""):gsub(";[^/]*", "")
    return (text:gsub("[%s.]+/", "/"):gsub("[%s.]+$", ""):gsub("//+", "/"))
end

local function under(text, prefix)
    if text:sub(1, #prefix) ~= prefix then return false end
    local following = text:sub(#prefix + 1, #prefix + 1)
    return following == "" or following == "/" or following == "."
end

-- A path as it is compared below: most are folded already.
function path.folded(text)
    if text:find("[^a-z0-9_/-]") or text:find("//", 1, true) then return fold(text) end
    return text
end

-- Whether any reading of a path lies under one of the prefixes; all are given folded. "/admin.json" does.
function path.under_any(folded, prefixes)
    for index = 1, #prefixes do
        if under(folded, prefixes[index]) then return true end
    end
    return false
end

-- Whether nginx takes a decoded, cleaned path for one of a route's: by whole segments, capital letters apart.
local function leads(uri, route)
    return uri == route or uri:sub(1, #route + 1) == route .. "/"
end

-- Which of the routes nginx takes a path for; they are given longest first. "" is the root, which all paths are below.
function path.route(uri, routes)
    for index = 1, #routes do
        if leads(uri, routes[index]) then return routes[index] end
    end
    return ""
end

-- Whether some service may take a path for one of a route's that nginx takes for another's. Each route is given as it is
-- written, and folded.
function path.strays(folded, uri, routes)
    for index = 1, #routes do
        local route = routes[index]
        if under(folded, route.folded) and not leads(uri, route.path) then return true end
    end
    return false
end

return path
