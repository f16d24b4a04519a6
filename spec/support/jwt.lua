-- SPDX-License-Identifier: MIT
--- A JWT as far as its form goes: jwt(the claims as JSON text[, signature]) → text.
local alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

local function digit(n) return alphabet:sub(n + 1, n + 1) end

local function base64url(text)
  return (text:gsub("..?.?", function(three)
    local a, b, c = three:byte(1, 3)
    local n = a * 65536 + (b or 0) * 256 + (c or 0)
    local four = digit(math.floor(n / 262144)) .. digit(math.floor(n / 4096) % 64) .. digit(math.floor(n / 64) % 64)
      .. digit(n % 64)
    return four:sub(1, #three + 1)
  end))
end

return function(claims, signature)
  local header = base64url '{"alg":"HS256","typ":"JWT"}'
  return table.concat({ header, base64url(claims), base64url(signature or "none") }, ".")
end
