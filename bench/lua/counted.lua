-- Every request is a new one: a number that was never used before stands wherever the pieces meet.
local n = 0

request = function()
   n = n + 1
   return table.concat(PIECES, TOKEN .. n)
end
