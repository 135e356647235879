local check = require "check"
local path = require "path"

-- Paths with one meaning.
for _, text in ipairs { "/", "/a", "/a/b.js", "/a//b", "/a%2Fb", "/a%20b", "/a;v=1", "/.well-known/x", "/..a", "/a%25b", "/%e2%82%ac" } do
    check(text, path.ambiguous(text), nil)
end

-- Dot segments, however they are written.
for _, text in ipairs { "/..", "/.", "/a/../b", "/a/./b", "/a/..;x/b", "/%2e%2e/b", "/a/%2E./b", "/a%2f..%2fb", "/%252e%252e/b", "/%25252e/b" } do
    check(text, path.ambiguous(text), "dots")
end

-- Bytes that programs read in different ways.
for _, text in ipairs { "/a\\b", "/a%5cb", "/a%00", "/a%0d%0ab", "/a%7f", "/a#b", "/\255", "/%ff", "/%c0%af", "/%ed%a0%80", "/a%250a" } do
    check(text, path.ambiguous(text), "bytes")
end

check("shortest form", path.is_utf8("\194\169 \226\130\172 \240\159\146\169"), true)
for _, text in ipairs { "\192\128", "\224\128\128", "\237\160\128", "\240\128\128\128", "\244\144\128\128", "\194", "\128", "\245\128\128\128" } do
    check("no UTF-8", path.is_utf8(text), false)
end

-- Every spelling that lies under an admin path.
local admin = { "/admin", "/team/panel" }
for _, text in ipairs {
    "/admin", "/admin/", "/admin/x", "/ADMIN", "/Admin/x", "//admin", "/%61dmin", "/%2561dmin", "/admin;a=b", "/admin;/x", "/;x/admin",
    "/admin.json", "/admin%20", "/admin./x", "/admin%2fx", "/%2fadmin", "/admin%3fa", "/team//panel", "/team;x/panel/y", "/team./panel",
} do
    check(text, path.under_any(path.folded(text), admin), true)
end
for _, text in ipairs { "/", "/adminx", "/x/admin", "/team", "/team/panels", "/team/x/panel", "/admi", "/nimda" } do
    check(text, path.under_any(path.folded(text), admin), false)
end

-- Spellings of a route's path that nginx takes for another's: the decoded, cleaned path is what nginx reads.
local guarded = { { path = "/hooks", folded = "/hooks" }, { path = "/v1/Keys", folded = "/v1/keys" } }
for text, uri in pairs {
    ["/Hooks"] = "/Hooks", ["/HOOKS/a"] = "/HOOKS/a", ["/hooks;x=1"] = "/hooks;x=1", ["/hooks%3b"] = "/hooks;", ["/hooks.json"] = "/hooks.json",
    ["/hooks%20"] = "/hooks ", ["/hooks%252fa"] = "/hooks%2fa", ["/v1/keys"] = "/v1/keys", ["/V1/Keys"] = "/V1/Keys",
} do
    check(text, path.strays(path.folded(text), uri, guarded), true)
end
for text, uri in pairs {
    ["/hooks"] = "/hooks", ["/hooks/"] = "/hooks/", ["//hooks"] = "/hooks", ["/%68ooks"] = "/hooks", ["/hooks%2fa"] = "/hooks/a",
    ["/hooks/A;b"] = "/hooks/A;b", ["/v1/Keys/x"] = "/v1/Keys/x",
    ["/"] = "/", ["/hooksmith"] = "/hooksmith", ["/Hooksmith"] = "/Hooksmith", ["/my/hooks"] = "/my/hooks", ["/v1"] = "/v1",
} do
    check(text, path.strays(path.folded(text), uri, guarded), false)
end

-- Which route nginx takes a decoded, cleaned path for.
local visible = { "/team/all", "/team" }
for uri, wanted in pairs {
    ["/team"] = "/team", ["/team/x"] = "/team", ["/team/all/x"] = "/team/all", ["/team/allx"] = "/team", ["/teams"] = "", ["/Team"] = "", ["/"] = "",
} do
    check(uri, path.route(uri, visible), wanted)
end
