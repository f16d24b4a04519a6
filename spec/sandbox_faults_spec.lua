-- SPDX-License-Identifier: MIT
-- What goes wrong in the sandbox on purpose, seen by clients that share nothing with the library: curl, and a bare socket.
local core = require "handoff.core"
local handoff_sandbox = require "handoff.sandbox"
local program = require "support.program"
local sandbox = require "support.sandbox"

local decode, encode = core.json.decode, core.json.encode
local agent = "shop-uk"

describe("the sandbox's faults", function()
  local box, stored, sent
  setup(function() box = sandbox.start { agents = 3, no_rate_limit = true } end)
  teardown(function() box:stop() end)

  before_each(function()
    stored = stored or box:document(agent)
    box:store(agent, stored)
    box:reset()
    local document = decode(stored)
    document.settings.question_message = "Mine?"
    document.settings.keywords = { "mine" }
    sent = encode(document)
  end)
  after_each(function() box:faults {} end)

  local function request(method, more)
    local all = { body = method == "PUT" and sent or nil }
    for name, value in pairs(more or {}) do all[name] = value end
    return box:request(method, agent, all)
  end

  -- curl's exit status, and what it printed.
  local function curl(method, words)
    local command = "curl -s -m 20 -X %s -H 'Authorization: Bearer %s' -H 'Content-Type: application/json' %s %s %s"
    local body = method == "PUT" and "-d " .. program.quote(sent) or ""
    local output, status = sandbox.run_client(command:format(method, box.agents[agent].token, body, words or "",
      box:url()))
    return status, output
  end

  -- The bytes of an answer on a bare socket, until the sandbox closes it.
  local function bytes()
    local port, path = box:url():match ":(%d+)(/.*)"
    local head = ("GET %s HTTP/1.1\\r\\nHost: x\\r\\nAuthorization: Bearer %s\\r\\n\\r\\n"):format(path,
      box.agents[agent].token)
    return (sandbox.run_client(("exec timeout 20 bash -c %s"):format(program.quote(
      ("exec 3<>/dev/tcp/127.0.0.1/%s; printf %s >&3; cat <&3"):format(port, program.quote(head))))))
  end

  local function writes() return box:ledger().writes[agent] or 0 end
  local function is(path) return decode(box:document(agent)).settings[path] end

  local function length_of(text) return tonumber(text:match "\r\nContent%-Length: (%d+)\r\n") end
  local function body_of(text) return text:match "\r\n\r\n(.*)$" end

  describe("that take the place of an answer:", function()
    -- What a GET and a PUT get, and that nothing was written.
    local function instead(rule, check)
      for _, method in ipairs { "GET", "PUT" } do
        rule.times = 2
        box:faults { rule }
        box:reset()
        check(method)
        assert.equal(0, writes())
        assert.equal(stored, box:document(agent))
      end
    end

    it("429 and 5xx, with Retry-After as seconds, as a date, or without", function()
      instead({ fault = "status", status = 429, retry_after = 7 }, function(method)
        local answer = request(method)
        assert.equal(429, answer.status)
        assert.equal("7", answer.headers["retry-after"])
        assert.equal("RATE_LIMITED", answer.json.errors.root[1].code)
      end)
      instead({ fault = "status", status = 503, retry_date = 30 }, function(method)
        local answer = request(method)
        assert.equal(503, answer.status)
        local read = ("date -u -d %s +%%s"):format(program.quote(answer.headers["retry-after"]))
        local wait = tonumber((program.run(read))) - os.time()
        assert.truthy(wait > 20 and wait <= 30, answer.headers["retry-after"])
        assert.matches("^%a%a%a, %d%d %a%a%a %d%d%d%d %d%d:%d%d:%d%d GMT$", answer.headers["retry-after"])
      end)
      instead({ fault = "status", status = 504 }, function(method)
        local answer = request(method)
        assert.equal(504, answer.status)
        assert.is_nil(answer.headers["retry-after"])
        assert.is_string(answer.json.errors.root[1].message)
      end)
    end)

    it("the 401 of a token that was revoked, from a request on", function()
      box:faults { { fault = "status", status = 401, at = 2, times = "always" } }
      local real = sandbox.request("GET", box:url())
      assert.equal(200, request "GET".status)
      for _ = 1, 2 do assert.equal(real.body, request "GET".body) end
      assert.equal(200, box:request("GET", "shop-de").status)
      assert.equal(401, request "PUT".status)
      assert.equal(0, writes())
    end)

    it("a page of HTML, a text that is no JSON, a redirect", function()
      instead({ fault = "html", status = 200 }, function(method)
        local answer = request(method)
        assert.equal("200 text/html", answer.status .. " " .. answer.headers["content-type"])
        assert.matches("^<!DOCTYPE html>", answer.body)
      end)
      instead({ fault = "not_json" }, function(method)
        local answer = request(method)
        assert.equal("200 application/json OK", ("%d %s %s"):format(answer.status, answer.headers["content-type"],
          answer.body))
      end)
      instead({ fault = "redirect", status = 307 }, function(method)
        local answer = request(method)
        assert.equal("307 /v1/api/elsewhere", answer.status .. " " .. answer.headers.location)
      end)
    end)

    it("a reset, a close, nothing at all", function()
      instead({ fault = "reset" }, function(method) assert.equal(56, (curl(method))) end) -- recv: connection reset
      instead({ fault = "close" }, function(method) assert.equal(52, (curl(method))) end) -- empty reply
      instead({ fault = "hang" }, function(method)
        assert.equal(28, (curl(method, "-m 0.2"))) -- timed out
        assert.same({ none = 1 }, box:ledger().statuses)
      end)
    end)
  end)

  describe("that spoil an answer:", function()
    it("a reset after a PUT was stored", function()
      box:faults { { fault = "reset_after" } }
      assert.equal(56, (curl "PUT"))
      assert.equal(1, writes())
      assert.equal("Mine?", is "question_message")
      assert.same({ none = 1 }, box:ledger().statuses)
    end)

    it("whichever, where the rule says that the request is handled first", function()
      for _, fault in ipairs { "status", "html", "not_json", "redirect", "reset", "close" } do
        box:faults { { fault = fault, handled = true } }
        box:reset()
        curl "PUT"
        assert.equal(1, writes())
      end
    end)

    it("a body that ends before its Content-Length", function()
      box:faults { { fault = "truncate", times = 3 } }
      local text = bytes()
      assert.equal(#stored, length_of(text))
      assert.equal(stored:sub(1, math.floor(#stored / 2)), body_of(text))
      assert.equal(18, (curl "GET")) -- partial file
      assert.equal(18, (curl "PUT"))
      assert.equal(1, writes())
      box:faults { { fault = "truncate", bytes = 0 } }
      assert.equal("", body_of(bytes()))
    end)

    it("a Content-Length that is too small or too large", function()
      box:faults { { fault = "length", by = -5 }, { fault = "length", by = 5, at = 2, times = 2 } }
      local text = bytes()
      assert.equal(#stored - 5, length_of(text))
      assert.equal(stored, body_of(text))
      local status, output = curl("GET", "-m 0.3")
      assert.equal(28, status)
      assert.equal(stored, output)
      assert.equal(28, (curl("PUT", "-m 0.3")))
      assert.equal(1, writes())
    end)

    it("garbage after the JSON, a body of many MiB, an answer that drips", function()
      box:faults { { fault = "garbage", times = 2 } }
      assert.equal(stored .. "\n<!-- served in 0.02 s -->", request "GET".body)
      assert.is_nil(request "PUT".json)
      assert.equal(1, writes())
      box:faults { { fault = "huge" } }
      local status, output = curl("GET", "-w ' %{size_download}' -o /dev/null")
      assert.equal("0  9437184", status .. " " .. output)
      box:faults { { fault = "drip", bytes = 100, every = 1, times = 2 } }
      assert.equal(box:document(agent), request "GET".body)
      assert.equal("Mine?", request "PUT".json.settings.question_message)
    end)
  end)

  describe("of other people:", function()
    it("an edit before or after the request is handled", function()
      box:faults {
        { fault = "edit", method = "GET", when = "after", path = "settings.question_message", value = "Theirs?" },
        { fault = "edit", method = "GET", at = 2, path = "custom_guidelines[1]", delete = true },
        { fault = "edit", method = "PUT", when = "after", path = "settings.timezone", value = core.json.null },
      }
      assert.equal(stored, request "GET".body)
      local second = request "GET".json
      assert.equal("Theirs?", second.settings.question_message)
      assert.equal(#decode(stored).custom_guidelines - 1, #second.custom_guidelines)
      local zone = decode(stored).settings.timezone
      sent = encode(second)
      assert.equal(zone, request "PUT".json.settings.timezone)
      assert.equal(core.json.null, is "timezone")
      assert.equal(1, writes())
    end)

    it("a merge of many fields, and items that get an id", function()
      box:faults { { fault = "edit", merge = {
        settings = { is_active = true, keywords = { "theirs" }, ai_summary_active = core.json.null },
        custom_guidelines = { { name = "Theirs", description = "d", is_active = true } },
      } } }
      local document = request "GET".json
      assert.same({ "theirs" }, document.settings.keywords)
      assert.is_nil(document.settings.ai_summary_active)
      assert.equal(decode(stored).settings.timezone, document.settings.timezone)
      assert.equal(1, #document.custom_guidelines)
      assert.is_number(document.custom_guidelines[1].id)
    end)

    it("an edit just after a PUT whose answer is lost", function()
      box:faults {
        { fault = "reset_after", method = "PUT" },
        { fault = "edit", method = "PUT", when = "after", path = "settings.keywords", value = { "theirs" } },
      }
      assert.equal(56, (curl "PUT"))
      assert.equal(1, writes())
      assert.equal("Mine?", is "question_message")
      assert.same({ "theirs" }, is "keywords")
    end)
  end)

  it("add to a list what is beyond its end, and end when they are taken away", function()
    box:faults { { fault = "edit", method = "GET", path = "settings.keywords[99]", value = "theirs" } }
    local before = decode(stored).settings.keywords
    local after = request "GET".json.settings.keywords
    assert.same({ #before + 1, "theirs" }, { #after, after[#after] })
    box:no_faults()
    assert.same({}, box:fired())
    assert.same(after, request "GET".json.settings.keywords)
  end)

  it("drop one field of a PUT and store the rest, and say so or not", function()
    local before = decode(stored).settings.question_message
    for _, echo in ipairs { false, true } do
      box:store(agent, stored)
      box:faults { { fault = "drop_field", path = "settings.question_message", echo = echo } }
      local answer = request "PUT"
      assert.equal(echo and "Mine?" or before, answer.json.settings.question_message)
      assert.equal(before, is "question_message")
      assert.same({ "mine" }, is "keywords")
    end
  end)

  it("come when they are due, for whom they are due, and are counted", function()
    box:faults {
      { fault = "status", agent = agent, method = "GET", at = 2, times = 2 },
      { fault = "html", status = 503, agent = "shop-de", times = "always" },
      { fault = "status", status = 502, agent = agent, at = 3 },
    }
    local function statuses(name, count)
      local list = {}
      for i = 1, count do list[i] = box:request("GET", name).status end
      return table.concat(list, " ")
    end
    assert.equal("503 503", statuses("shop-de", 2))
    assert.equal("200 500 500 200", statuses(agent, 4)) -- of two that are due, the first acts
    assert.equal("200", statuses("shop-fr", 1))
    local rows = {}
    for i, rule in ipairs(box:fired()) do rows[i] = ("%s %d %d"):format(rule.fault, rule.seen, rule.fired) end
    assert.same({ "status 4 2", "html 2 2", "status 4 0" }, rows)
    box:faults {}
    assert.same({}, box:fired())
    assert.equal("200", statuses("shop-de", 1))
  end)

  it("come by chance: as often as it says, the same for each seed, whatever other agents do meanwhile", function()
    local rules = { { fault = "status", method = "GET", at = 11, chance = 0.25 } }
    local function statuses(one, name, count)
      local command = "curl -s -o /dev/null -w '%%{http_code} ' -H 'Authorization: Bearer %s' '%s#[1-%d]'"
      return (sandbox.run_client(command:format(one.agents[name].token, one:url(), count)))
    end
    local function sequence(one)
      one:faults(rules)
      return statuses(one, agent, 210)
    end
    local first = sequence(box)
    assert.equal(("200 "):rep(10), first:sub(1, 40))
    local fired = box:fired()[1].fired
    assert.truthy(fired > 25 and fired < 75, fired)
    box:faults(rules)
    statuses(box, "shop-de", 7)
    assert.equal(first:sub(1, 80), statuses(box, agent, 10) .. statuses(box, agent, 10))
    local other = sandbox.start { agents = 1, no_rate_limit = true, seed = 2 }
    local second = sequence(other)
    other:stop()
    assert.not_equal(first, second)
    box:faults { { fault = "status", chance = 0 }, { fault = "status", status = 503, chance = 1, times = 1 } }
    assert.equal("503 200 ", statuses(box, agent, 2))
  end)

  it("leave no connection behind when their clients go", function()
    local here = assert(handoff_sandbox.new { agents = 1, faults = {
      { fault = "hang" }, { fault = "length", by = 9, at = 2 }, { fault = "drip", bytes = 1, every = 1000, at = 3 },
      { fault = "huge", bytes = 2 ^ 25, at = 4 },
    } })
    for _ = 1, 4 do
      local total = here:requests().total
      local pipe = io.popen(("env -u LD_PRELOAD curl -s -m 0.2 --limit-rate 1k -H 'Authorization: Bearer %s' "
        .. "-o /dev/null %shuman_handoff/configuration; echo $?"):format(here:agents()[1].token, here:base_url()))
      while here:requests().total == total or here:connections() > 0 do here:step(20) end
      assert.equal(28, tonumber(pipe:read "*a"))
      pipe:close()
    end
    here:close()
  end)

  it("are refused where they make no sense, with a sentence that says which", function()
    local function refused(rules, message)
      local answer = sandbox.request("PUT", box.base_url:match "^%w+://[^/]+" .. "/_sandbox/faults",
        { body = type(rules) == "string" and rules or encode(rules) })
      assert.equal(400, answer.status, answer.body)
      assert.equal(message, answer.json.errors.root[1].message:sub(1, #message))
      if type(rules) ~= "table" then return end
      local ok, err = pcall(handoff_sandbox.new, { agents = 3, faults = rules })
      assert.is_false(ok)
      assert.truthy(tostring(err):find(message, 1, true), tostring(err))
    end
    refused("[{]", "the text: not JSON at line 1, column 3")
    refused({ fault = "reset" }, "faults: a list of rules expected")
    refused({ { fault = "close" }, { fault = "resett" } }, 'faults[2]: no fault "resett"; did you mean "reset"?')
    refused({ { fault = "quake" } }, 'faults[1]: no fault "quake"; known are: close, drip, drop_field, ')
    refused({ {} }, 'faults[1]: no fault ""; known are: ')
    refused({ 7 }, "faults[1]: a rule expected, got number")
    refused({ { fault = "drip", byte = 3 } }, 'faults[1] (drip): no option "byte"; did you mean "bytes"?')
    refused({ { fault = "drip", bytes = 0 } }, "faults[1] (drip): bytes: 0 is out of range, 1 to ")
    refused({ { fault = "close", handled = 1 } }, "faults[1] (close): handled: boolean expected, got number")
    refused({ { fault = "drip", handled = false } }, 'faults[1] (drip): no option "handled"')
    refused({ { fault = "reset", agent = "shop-ku" } },
      'faults[1] (reset): no agent "shop-ku"; did you mean "shop-uk"?')
    refused({ { fault = "reset", method = "get" } }, 'faults[1] (reset): method="GET" or "PUT" expected')
    refused({ { fault = "reset", times = "ever" } }, 'faults[1] (reset): times= a number or "always" expected')
    refused({ { fault = "reset", chance = 5 } }, "faults[1] (reset): chance: 5 is out of range, 0 to 1 allowed")
    refused({ { fault = "drop_field" } }, "faults[1] (drop_field): path= expected")
    refused({ { fault = "edit", path = "a" } }, "faults[1] (edit): path= and value=, path= and delete=true, or merge=")
    refused({ { fault = "edit", path = "a", value = 1, when = "now" } }, 'faults[1] (edit): when="before" or "after"')
    assert.same({}, box:fired())
  end)
end)
