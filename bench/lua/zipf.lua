-- 10,000 pages, the most popular most often (Zipf, s = 1), and every fifth request for a page that is always new.
local PAGES, DRAWS, NEW_EACH = 10000, 65536, 5
local known, sums, total = {}, {}, 0

for rank = 1, PAGES do
   known[rank] = table.concat(PIECES, "known" .. rank)
   total = total + 1 / rank
   sums[rank] = total
end

local function draw()
   local x, low, high = math.random() * total, 1, PAGES
   while low < high do
      local middle = math.floor((low + high) / 2)
      if sums[middle] < x then low = middle + 1 else high = middle end
   end
   return known[low]
end

-- The same draws for every proxy, and none while the clock runs.
math.randomseed(1)
local drawn, n = {}, 0
for i = 1, DRAWS do
   drawn[i] = draw()
end

request = function()
   n = n + 1
   if n % NEW_EACH == 0 then
      return table.concat(PIECES, TOKEN .. n)
   end
   return drawn[n % DRAWS + 1]
end
