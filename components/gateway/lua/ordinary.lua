-- Whether a user agent is a browser's: the second half of what an ordinary request is, after ordinary.conf. CrowdSec is not
-- told of what succeeds and is ordinary (hosts.conf).
--
-- Danger: a scenario that looks for a text in a user agent does not see a browser's. And it is logged without being escaped: no
-- pattern here may take a quotation mark, a backslash or a control character.
local ordinary = {}

ordinary.LONGEST_TARGET, ordinary.LONGEST_AGENT = 1024, 256

local function set(names)
    local found = {}
    for name in names:gmatch("%S+") do found[name] = true end
    return found
end

local SYSTEMS = set "Android Linux Macintosh Windows X11 iPad iPhone"
local PRODUCTS = set "AppleWebKit Chrome CriOS Edg EdgA EdgiOS Firefox FxiOS Gecko Mobile OPR Safari SamsungBrowser Version"

-- "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
local function is_browser(text)
    local system, products = text:match("^Mozilla/5%.0 %((%w+)[%w ;:._,/-]*%) (.+)$")
    if not SYSTEMS[system] then return false end
    for product in products:gsub("%(KHTML, like Gecko%)", "", 1):gmatch("[^ ]+") do
        if not PRODUCTS[product:match("^(%a+)/?[%w.]*$")] then return false end
    end
    return true
end

-- Visitors use few browsers, so what is found out about one is remembered, up to a number that no stranger can raise.
local MOST = 1000
local known, count = {}, 0

function ordinary.agent(text)
    if type(text) ~= "string" or #text > ordinary.LONGEST_AGENT then return false end
    local found = known[text]
    if found == nil then
        if count == MOST then known, count = {}, 0 end
        found = is_browser(text)
        known[text], count = found, count + 1
    end
    return found
end

return ordinary
