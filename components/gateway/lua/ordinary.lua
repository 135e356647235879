-- Whether a request looks like almost all others: a plain address, asked for by a browser. CrowdSec is told of what does
-- not, even where it succeeds (log.conf).
--
-- Danger: a scenario that looks for a text in an address or a user agent does not see what is ordinary here. So few
-- characters are, and none of the words that scenarios find in them. And what is ordinary is logged without being escaped: no
-- expression here may take a quotation mark, a backslash or a control character.
local ordinary = {}
local find = ngx.re.find

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
