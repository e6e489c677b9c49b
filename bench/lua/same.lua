-- Always the same request. wrk calls no Lua while it sends them, for there is no global `request`.
wrk.format = function()
   return PIECES[1]
end
