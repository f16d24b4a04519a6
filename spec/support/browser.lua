-- SPDX-License-Identifier: MIT
--- A real browser, without a window: Debian's Chromium, by the WebDriver protocol.
--
--   local b = browser.start()
--   b:open(path)                  a file, or an address, as its page; what was said and asked for before is forgotten
--   b:run("return …", …)          what a function with this body returns, with `arguments`
--   b:await("…", …)               waits until an expression is true, as the document changes → what it is
--   b:keys "text"                 to whatever has the focus, as if typed; browser.key.tab, .escape, .enter
--   b:command(name, parameters)   of the DevTools protocol
--   b:scheme "dark"               what its user prefers, or "light"
--   b:width(pixels[, mobile])     of its window, or of a telephone's
--   b:role(selector), b:label(selector)   of an element, as its accessibility tree has them
--   b:faint()                     what can hardly be told from its background, a list
--   b:console()                   the lines of its console since the page was opened, a list
--   b:asked()                     the addresses asked for since then, a list
--   b:close()
local json = require("handoff.core").json
local program = require "support.program"
local transport = require "handoff.transport"

local browser = { key = { tab = "\238\128\132", escape = "\238\128\140", enter = "\238\128\135" } }

local Browser = {}
Browser.__index = Browser

local ELEMENT = "element-6066-11e4-a52e-4f735466cecf" -- the protocol's name for a reference to an element

-- An answer's value; what went wrong raises.
local function call(self, method, path, body)
  local res = assert(transport.default():request {
    method = method, url = self.url .. path, body = body and json.encode(body), timeout = 60,
    headers = { ["Content-Type"] = "application/json" }, max_bytes = 64 * 1024 * 1024,
  })
  local value = json.decode(res.body).value
  if res.status ~= 200 then error(("%s %s: %s"):format(method, path, value.message), 3) end
  return value
end

-- The texts that are to be seen whose colour is too much like what is behind it, a ratio below 4.5, and what is drawn, below 3
-- (WCAG 2.2, AA); shades of a colour count by that.
local FAINT = [[
  const numbers = text => text.match(/[\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + .05) / (y + .05); };
  const behind = element => {
    for (; element; element = element.parentElement) {
      const colour = numbers(getComputedStyle(element).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
    if (!own || !element.checkVisibility() || element.closest("script")) continue;
    const value = ratio(numbers(getComputedStyle(element).color), behind(element));
    if (value < 4.5) found.push(element.tagName + " " + element.textContent.trim() + " " + value.toFixed(2));
  }
  const body = behind(document.body);
  for (const drawn of document.querySelectorAll("svg path:not(.halo, .l1, .l2, .l3, .l4, [fill^=url])")) {
    const style = getComputedStyle(drawn);
    const value = ratio(numbers(style.fill === "none" ? style.stroke : style.fill), body);
    if (value < 3) found.push("path " + drawn.getAttribute("class") + " " + value.toFixed(2));
  }
  return found;
]]

local function arguments(folder)
  local list = json.array { "--user-data-dir=" .. folder .. "/profile" }
  for word in ("headless no-sandbox disable-gpu disable-quic no-first-run disable-background-networking "
    .. "disable-component-update disable-sync disable-dev-shm-usage"):gmatch "%S+" do
    list[#list + 1] = "--" .. word
  end
  return list
end

local function start_session(self)
  local wanted = {
    browserName = "chrome", ["goog:chromeOptions"] = { args = arguments(self.folder) },
    ["goog:loggingPrefs"] = { browser = "ALL", performance = "ALL" },
  }
  self.session = "/session/" .. call(self, "POST", "/session", { capabilities = { alwaysMatch = wanted } }).sessionId
end

function browser.start()
  local self = setmetatable({ folder = program.folder() }, Browser)
  -- In an environment of its own: sanitizers are not for it, and what it writes goes with the folder.
  self.driver = assert(io.popen(("exec env -u LD_PRELOAD HOME=%s TMPDIR=%s chromedriver --port=0 2>&1"):format(
    program.quote(self.folder), program.quote(self.folder))))
  repeat
    local line = assert(self.driver:read "*l", "chromedriver did not start; Debian has it in: chromium-driver")
    local port = line:match "started successfully on port (%d+)"
    self.url = port and "http://127.0.0.1:" .. port
  until self.url
  start_session(self)
  return self
end

function Browser:call(method, path, body) return call(self, method, self.session .. path, body) end

function Browser:log(kind) return self:call("POST", "/se/log", { type = kind }) end

function Browser:open(path)
  self:call("POST", "/url", { url = "about:blank" })
  self:log "browser"
  self:log "performance"
  self:call("POST", "/url", { url = path:find "^http" and path or "file://" .. path })
end

function Browser:run(body, ...)
  return self:call("POST", "/execute/sync", { script = body, args = json.array { ... } })
end

function Browser:await(expression, ...)
  return self:run(([[
    const given = arguments, value = function () { return %s; };
    return new Promise((found, failed) => {
      const look = () => {
        try {
          const seen = value.apply(null, given);
          if (seen) found(seen);
        } catch (error) { failed(error); }
      };
      new MutationObserver(look).observe(document,
        { subtree: true, childList: true, attributes: true, characterData: true });
      for (const name of ["load", "focus"]) document.addEventListener(name, look, true);
      look();
    });]]):format(expression), ...)
end

function Browser:faint() return self:run(FAINT) end

function Browser:keys(text)
  local actions = json.array {}
  for character in text:gmatch "[^\128-\191][\128-\191]*" do
    actions[#actions + 1] = { type = "keyDown", value = character }
    actions[#actions + 1] = { type = "keyUp", value = character }
  end
  self:call("POST", "/actions", { actions = json.array { { type = "key", id = "keyboard", actions = actions } } })
end

function Browser:command(name, parameters)
  return self:call("POST", "/goog/cdp/execute", { cmd = name, params = parameters })
end

function Browser:scheme(name)
  self:command("Emulation.setEmulatedMedia", { features = { { name = "prefers-color-scheme", value = name } } })
end

function Browser:width(pixels, mobile)
  self:command("Emulation.setDeviceMetricsOverride",
    { width = pixels, height = 800, deviceScaleFactor = 1, mobile = mobile == true })
end

local function element(self, selector)
  return "/element/" .. self:call("POST", "/element", { using = "css selector", value = selector })[ELEMENT]
end

function Browser:role(selector) return self:call("GET", element(self, selector) .. "/computedrole") end
function Browser:label(selector) return self:call("GET", element(self, selector) .. "/computedlabel") end

function Browser:console()
  local list = {}
  for i, entry in ipairs(self:log "browser") do list[i] = entry.message end
  return list
end

function Browser:asked()
  local list = {}
  for _, entry in ipairs(self:log "performance") do
    local message = json.decode(entry.message).message
    if message.method == "Network.requestWillBeSent" then list[#list + 1] = message.params.request.url end
  end
  return list
end

function Browser:close()
  call(self, "DELETE", self.session)
  call(self, "GET", "/shutdown")
  self.driver:close()
  transport.default():close()
  program.remove(self.folder)
end

return browser
