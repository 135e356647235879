local check = require "check"
local duration = require "duration"

for text, wanted in pairs {
    ["4h"] = 14400, ["3h59m47.5s"] = 14387.5, ["90s"] = 90, ["500ms"] = 0.5, ["-5s"] = 0, [""] = 0, ["soon"] = 0,
} do
    check(text, duration.seconds(text), wanted)
end
check("no text", duration.seconds(nil), 0)
