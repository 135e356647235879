-- Fails with both values where they differ.
return function(name, found, wanted)
    if found ~= wanted then
        error(("%s: found %s, wanted %s"):format(name, tostring(found), tostring(wanted)), 2)
    end
end
