-- Headers that a route requires or forbids, and its API key.
local rules = {}
local by_route

-- Both texts are hashed under a key that nobody has, so that neither their length nor the place of the first wrong
-- character shows in the time that the comparison takes.
local pepper
local function hashed(text)
    return ngx.hmac_sha1(pepper, text)
end

function rules.equal(left, right)
    local a, b = hashed(left), hashed(right)
    local difference = 0
    for index = 1, #a do
        difference = difference + math.abs(a:byte(index) - b:byte(index))
    end
    return difference == 0
end

-- Raises an error where a key cannot be read or is too short to be one.
function rules.load(routes, read)
    by_route = routes or {}
    pepper = read("/dev/urandom", 32)
    for id, rule in pairs(by_route) do
        if rule.api_key_file then
            rule.api_key = read(rule.api_key_file)
            assert(#rule.api_key >= 16, "the API key of route " .. id .. " has fewer than 16 characters")
        end
    end
end

function rules.verdict(id, headers)
    local rule = by_route[id]
    for _, name in ipairs(rule.require) do
        if headers[name] == nil or headers[name] == "" then return "400", "header_missing" end
    end
    for _, name in ipairs(rule.forbid) do
        if headers[name] ~= nil then return "400", "header_forbidden" end
    end
    if rule.api_key then
        local given = headers["x-api-key"]
        if type(given) ~= "string" or not rules.equal(given, rule.api_key) then return "401", "api_key" end
    end
    return ""
end

return rules
