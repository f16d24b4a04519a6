-- SPDX-License-Identifier: MIT
--- A text without control characters, but for line ends, as it may stand in XML and HTML, between tags or quotes.
local entities = {
  ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;", ["\n"] = "&#10;",
}
local UNFIT = "\239\191[\190\191]" -- U+FFFE and U+FFFF, which XML cannot hold however they are written

return function(text)
  return (text:gsub("[&<>\"'\n]", entities):gsub(UNFIT, "\239\191\189"))
end
