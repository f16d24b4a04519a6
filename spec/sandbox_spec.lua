-- SPDX-License-Identifier: MIT
-- The sandbox against the documents of the remote API, with curl and the vendor's own examples as its clients.
local core = require "handoff.core"
local handoff_sandbox = require "handoff.sandbox"
local program = require "support.program"
local sandbox = require "support.sandbox"

local decode, encode = core.json.decode, core.json.encode

local function base64url_decode(text)
  local alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
  local bits, count, out = 0, 0, {}
  for c in text:gmatch "." do
    bits, count = bits * 64 + alphabet:find(c, 1, true) - 1, count + 6
    if count >= 8 then
      count = count - 8
      out[#out + 1] = string.char(math.floor(bits / 2 ^ count))
      bits = bits % 2 ^ count
    end
  end
  return table.concat(out)
end

-- The messages of an error document, by key.
local function errors_of(answer)
  local messages = {}
  for key, list in pairs(answer.json.errors) do
    for _, one in ipairs(list) do
      assert.equal("string", type(one.code))
      messages[key] = (messages[key] and messages[key] .. "; " or "") .. one.message
    end
  end
  return messages
end

describe("the sandbox", function()
  local box
  setup(function() box = sandbox.start { agents = 9, read_only = 1, no_rate_limit = true } end)
  teardown(function() box:stop() end)

  local agent, stored -- of the test at hand; what was stored comes back after it
  before_each(function()
    agent = "shop-uk"
    stored = box:document(agent)
  end)
  after_each(function() box:store("shop-uk", stored) end)

  -- Sends the stored document after `edit(document)` → the answer.
  local function put(edit, name)
    local document = decode(box:document(name or agent))
    edit(document)
    return box:request("PUT", name or agent, { body = encode(document) })
  end

  local function refused(answer, status, key, pattern)
    assert.equal(status, answer.status, answer.body)
    assert.equal("application/json", answer.headers["content-type"])
    local message = errors_of(answer)[key]
    assert.truthy(message and message:find(pattern), answer.body)
  end

  -- A refused PUT changes nothing.
  local function refused_put(edit, key, pattern)
    refused(put(edit), 400, key, pattern)
    assert.equal(stored, box:document(agent))
  end

  describe("answers a GET", function()
    it("with the document, byte for byte as it is stored", function()
      local answer = box:request("GET", agent)
      assert.equal(200, answer.status)
      assert.equal("application/json", answer.headers["content-type"])
      assert.equal(stored, answer.body)
      local odd = '{ "settings":{},\n"x":[ ],"y":1.50,"big":123456789012345678901234567890}\n'
      box:store(agent, odd)
      assert.equal(odd, box:request("GET", agent).body)
    end)

    it("with another document for every agent", function()
      local seen = {}
      for _, one in ipairs(box.agents) do
        local body = box:request("GET", one).body
        assert.is_nil(seen[body])
        seen[body] = true
      end
    end)

    it("that has a query, or a token that only reads", function()
      assert.equal(200, sandbox.request("GET", box:url() .. "?x=1", { token = box.agents[1].token }).status)
      assert.equal(200, box:request("GET", box.agents[9]).status)
    end)
  end)

  describe("answers a PUT", function()
    it("with the updated document", function()
      local answer = put(function(doc) doc.settings.question_message = "Żółć? 👋" end)
      assert.equal(200, answer.status)
      assert.equal("Żółć? 👋", answer.json.settings.question_message)
      assert.equal(answer.body, box:request("GET", agent).body)
    end)

    it("of an unchanged document with the same bytes", function()
      for _, one in ipairs(box.agents) do
        local before = box:document(one.name)
        if one ~= box.agents[9] then
          assert.equal(before, box:request("PUT", one, { body = before }).body)
        end
      end
    end)

    it("keeping what it does not know, empty arrays, empty objects and long numbers among it", function()
      local unknown = '"future":{"a":[],"b":{},"c":[[],{}],"d":123456789012345678901,"e":0.30000000000000004,"f":null}'
      local answer = box:request("PUT", agent, { body = stored:gsub("^{", "{" .. unknown .. ",") })
      assert.equal(200, answer.status, answer.body)
      assert.truthy(answer.body:find(unknown, 1, true), answer.body)
      assert.truthy(box:document(agent):find(unknown, 1, true))
    end)

    it("takes a media type with a parameter, in any case", function()
      assert.equal(200, box:request("PUT", agent, { body = stored, type = "Application/JSON; charset=utf-8" }).status)
    end)
  end)

  describe("gives ids", function()
    local function item(list, name)
      for _, one in ipairs(list) do
        if one.name == name then return one end
      end
    end

    it("to new items, and keeps those of the others", function()
      local before = decode(stored)
      local answer = put(function(doc)
        table.insert(doc.custom_guidelines, 1, { name = "New", description = "d", is_active = true })
        table.insert(doc.availability, { day_span = "sunday", start_time = "01:00", end_time = "02:00" })
        table.insert(doc.routing_profiles, { name = "P", description = "d", is_active = false, user_ids = { 1 } })
        table.insert(doc.routing_profiles, { name = "Q", description = "d", is_active = false, user_ids = { 1 } })
      end)
      assert.equal(200, answer.status, answer.body)
      local after = answer.json
      local ids = { after.custom_guidelines[1].id, after.availability[#after.availability].id,
        item(after.routing_profiles, "P").id, item(after.routing_profiles, "Q").id }
      local seen = {}
      for _, id in ipairs(ids) do
        assert.equal("number", type(id))
        assert.is_nil(seen[id])
        seen[id] = true
      end
      assert.equal(4, #ids)
      for _, one in ipairs(before.custom_guidelines) do
        assert.equal(one.id, item(after.custom_guidelines, one.name).id)
        assert.is_nil(seen[one.id])
      end
    end)

    it("that no two agents share", function()
      local function add(name)
        local answer = put(function(doc)
          table.insert(doc.custom_guidelines, { name = "N", description = "d", is_active = true })
        end, name)
        return item(answer.json.custom_guidelines, "N").id
      end
      assert.not_equal(add "shop-uk", add "shop-de")
    end)

    it("and matches items by them: renamed in place, left out deleted", function()
      local before = decode(stored).custom_guidelines
      local answer = put(function(doc)
        doc.custom_guidelines[2].name = "Renamed"
        table.remove(doc.custom_guidelines, 1)
      end)
      assert.equal(#before - 1, #answer.json.custom_guidelines)
      assert.equal(before[2].id, item(answer.json.custom_guidelines, "Renamed").id)
      refused(put(function(doc) doc.custom_guidelines[1].id = before[1].id end), 400, "custom_guidelines[1].id",
        "no item with the id " .. ("%d"):format(before[1].id))
    end)

    it("beyond 2^53, which come and go unharmed", function()
      local before = box:document "shop-fr"
      local id = before:match '"custom_guidelines":%[{.-"id":(%d+)'
      assert.truthy(#id >= 16 and id > "9007199254740992", id)
      local answer = put(function(doc) doc.custom_guidelines[1].name = "Renommée" end, "shop-fr")
      assert.equal(200, answer.status, answer.body)
      assert.truthy(answer.body:find('"id":' .. id, 1, true))
      -- The neighbour, which is the same number to a double.
      local wrong = before:gsub('("custom_guidelines":%[{.-"id":)%d+', "%19007199254740993")
      refused(box:request("PUT", "shop-fr", { body = wrong }), 400, "custom_guidelines[1].id", "no item with the id")
    end)

    it("but takes none that it did not give", function()
      refused_put(function(doc) doc.availability[1].id = 1 end, "availability[1].id", "no item with the id 1")
      refused_put(function(doc) doc.routing_profiles[1].id = doc.custom_guidelines[1].id end, "routing_profiles[1].id",
        "no item with the id")
      refused_put(function(doc) doc.routing_profiles[1].id = doc.routing_profiles[2].id end,
        "routing_profiles[2].id", "id")
    end)
  end)

  describe("derives topic_based_routing_active", function()
    local function put_profiles(active, sent)
      return put(function(doc)
        for _, profile in ipairs(doc.routing_profiles) do profile.is_active = active end
        doc.settings.topic_based_routing_active = sent
      end).json.settings.topic_based_routing_active
    end
    it("from the routing profiles, whatever was sent", function()
      assert.is_true(put_profiles(true, false))
      assert.is_false(put_profiles(false, true))
      assert.is_true(put_profiles(true, nil))
      assert.is_false(put(function(doc) doc.routing_profiles = core.json.array {} end).json.settings
        .topic_based_routing_active)
    end)
  end)

  describe("neither adds nor removes generic guidelines:", function()
    it("one less, one more, one twice are refused, and the order is free", function()
      refused_put(function(doc) table.remove(doc.generic_guidelines) end, "generic_guidelines",
        '"media_message" is missing')
      refused_put(function(doc) doc.generic_guidelines[6] = doc.generic_guidelines[1] end, "generic_guidelines",
        "predefined")
      refused_put(function(doc)
        doc.generic_guidelines[6] = { name = "other", description = "d", is_active = true }
      end, "generic_guidelines[6].name", "user_frustration")
      local answer = put(function(doc)
        table.insert(doc.generic_guidelines, 1, table.remove(doc.generic_guidelines))
        doc.generic_guidelines[1].is_active = true
      end)
      assert.equal(200, answer.status, answer.body)
      assert.is_true(answer.json.generic_guidelines[1].is_active)
    end)
  end)

  it("names all that is wrong with identities, the same way each time", function()
    local answer = put(function(doc)
      for _ = 1, 3 do table.remove(doc.generic_guidelines) end
      doc.custom_guidelines[1].id, doc.availability[1].id = 987654, 987653
    end)
    assert.equal(400, answer.status)
    assert.same({
      ["availability[1].id"] = "there is no item with the id 987653",
      ["custom_guidelines[1].id"] = "there is no item with the id 987654",
      generic_guidelines = '"irrelevant_advice" is missing: the list is predefined; "lack_of_knowledge" is missing: '
        .. 'the list is predefined; "media_message" is missing: the list is predefined',
    }, errors_of(answer))
  end)

  describe("takes back what it has itself:", function()
    local function store(edit)
      local document = decode(stored)
      edit(document)
      box:store(agent, encode(document))
    end

    it("a sixth generic guideline, a text over its limit, a null", function()
      store(function(doc)
        doc.generic_guidelines[6] = { name = "later_addition", description = "d", is_active = false }
        doc.custom_guidelines[1].description = ("x"):rep(2001)
        doc.settings.timezone = core.json.null
        doc.settings.emails = { "nobody", "desk@shop-uk.example" }
      end)
      local answer = put(function(doc)
        doc.generic_guidelines[6].is_active = true
        doc.custom_guidelines[1].is_active = true
        table.remove(doc.settings.emails)
      end)
      assert.equal(200, answer.status, answer.body)
      assert.equal(core.json.null, answer.json.settings.timezone)
      assert.equal(400, put(function(doc) doc.custom_guidelines[1].description = ("y"):rep(2001) end).status)
      assert.equal(400, put(function(doc) table.insert(doc.settings.emails, "nobody else") end).status)
    end)

    it("but not a slot that ends when it starts", function()
      refused_put(function(doc)
        doc.availability[1].start_time = doc.availability[1].end_time
      end, "availability[1]", "ends when it starts")
    end)
  end)

  it("refuses with 400 and the field's path whatever breaks a rule", function()
    local rows = {
      { "settings.is_active", function(doc) doc.settings.is_active = "yes" end },
      { "settings.confirmation_message", function(doc) doc.settings.confirmation_message = ("ż"):rep(501) end },
      { "settings.confirmation_outside_working_hours_message",
        function(doc) doc.settings.confirmation_outside_working_hours_message = ("x"):rep(501) end },
      { "settings.keywords[2]", function(doc) doc.settings.keywords[2] = 7 end },
      { "settings.timezone", function(doc) doc.settings.timezone = "Europe/Atlantis" end },
      { "settings.timezone", function(doc) doc.settings.timezone = core.json.null end },
      { "settings.emails[1]", function(doc) doc.settings.emails[1] = "nobody" end },
      { "availability[1].day_span", function(doc) doc.availability[1].day_span = "weekdays" end },
      { "availability[1].start_time", function(doc) doc.availability[1].start_time = "9:00" end },
      { "availability[1].end_time", function(doc) doc.availability[1].end_time = "24:00" end },
      { "availability[1].id", function(doc) doc.availability[1].id = "1" end },
      { "custom_guidelines[1].name", function(doc) doc.custom_guidelines[1].name = ("x"):rep(101) end },
      { "custom_guidelines[1].name", function(doc) doc.custom_guidelines[1].name = nil end },
      { "custom_guidelines[1].description", function(doc) doc.custom_guidelines[1].description = ("x"):rep(2001) end },
      { "routing_profiles[1].user_ids[1]", function(doc) doc.routing_profiles[1].user_ids[1] = 1.5 end },
      { "routing_profiles[1].is_active", function(doc) doc.routing_profiles[1].is_active = 1 end },
      { "root", function(doc) doc.availability = nil end },
      { "root", function(doc) doc.availability = {} end },
      { "root", function(doc) doc.settings = core.json.array {} end },
    }
    for _, row in ipairs(rows) do refused_put(row[2], row[1], ".") end
    local answer = put(function(doc)
      doc.settings.confirmation_message = ("ż"):rep(500)
      doc.custom_guidelines[1].name = ("x"):rep(100)
      doc.custom_guidelines[1].description = ("ż"):rep(2000)
    end)
    assert.equal(200, answer.status, answer.body)
  end)

  it("answers in the documented form", function()
    local answer = put(function(doc) doc.settings.is_active, doc.custom_guidelines[1].name = 1, ("x"):rep(101) end)
    for _, key in ipairs { "settings.is_active", "custom_guidelines[1].name" } do
      assert.equal("BAD_REQUEST", answer.json.errors[key][1].code)
    end
    assert.equal('{"errors":{"root":[{"code":"PERMISSION_DENIED","message":"Invalid or missing API token."}]}}',
      box:request("GET").body)
  end)

  it("refuses with 400 what is no JSON, with line and column, and what is no configuration", function()
    local rows = {
      { '{\n  "settings": tru\n}', "line 2, column" }, { "", "line 1" }, { '{"a":"\255"}', "column" },
      { '{"a":1,"a":2}', "column" }, { "[]", "object" }, { "1", "object" }, { "null", "." }, { '"x"', "object" },
    }
    for _, row in ipairs(rows) do
      refused(box:request("PUT", agent, { body = row[1] }), 400, "root", row[2])
    end
    assert.equal(400, box:request("PUT", agent, { body = "{}" }).status)
    assert.equal(stored, box:document(agent))
  end)

  it("refuses with 401 a token that is missing, unknown or of another kind", function()
    refused(box:request("GET"), 401, "root", "token")
    refused(box:request("PUT", nil, { body = stored }), 401, "root", "token")
    local token = box.agents[1].token
    for _, header in ipairs { "Bearer x" .. token, "Bearer " .. token .. "x", "Bearer", "Basic " .. token, token } do
      local answer = sandbox.request("GET", box:url(), { args = "-H 'Authorization: " .. header .. "'" })
      refused(answer, 401, "root", "token")
      assert.equal("PERMISSION_DENIED", answer.json.errors.root[1].code)
      assert.is_nil(answer.body:find(token, 1, true))
    end
  end)

  it("takes a second token of an agent beside its first", function()
    local new = box:issue "shop-pl"
    local claims = require("handoff.core").token.unverified_claims
    assert.equal(claims(box.agents["shop-pl"].token).scenario_id, claims(new).scenario_id)
    box:revoke "shop-pl"
    assert.equal(401, box:request("GET", "shop-pl").status)
    assert.equal(200, box:request("GET", { token = new }).status)
    assert.not_equal(new, box:issue "shop-pl")
  end)

  it("refuses with 401 a token that was revoked", function()
    assert.equal(200, box:request("GET", "shop-us").status)
    box:revoke "shop-us"
    refused(box:request("GET", "shop-us"), 401, "root", "token")
  end)

  it("refuses with 403 a PUT with a token that only reads", function()
    local answer = box:request("PUT", box.agents[9], { body = box:document(box.agents[9].name) })
    refused(answer, 403, "root", "^Insufficient token scope%. Required: write_all$")
  end)

  it("refuses with 404 other paths, and with 405 other methods", function()
    local token = box.agents[1].token
    for _, path in ipairs { "", "/", "x" } do
      local url = path == "" and box.base_url or box:url() .. path
      refused(sandbox.request("GET", url, { token = token }), 404, "root", "Not found")
    end
    for _, method in ipairs { "POST", "PATCH", "DELETE" } do
      local answer = box:request(method, agent, { body = "{}" })
      refused(answer, 405, "root", "not allowed")
      assert.equal("GET, PUT", answer.headers.allow)
    end
  end)

  it("refuses with 413 a body over 1 MiB, and takes one of just that size", function()
    local function send(bytes)
      return box:request("PUT", agent, { input = ("head -c %d /dev/zero | tr '\\0' ' '"):format(bytes) })
    end
    refused(send(1048577), 413, "root", "1048576 bytes")
    refused(send(1048576), 400, "root", "line 1")
  end)

  it("refuses with 415 a PUT that is not said to be JSON", function()
    for _, media_type in ipairs { "text/plain", "application/x-www-form-urlencoded", "application/json-patch+json" } do
      refused(box:request("PUT", agent, { body = stored, type = media_type }), 415, "root", "application/json")
    end
    refused(box:request("PUT", agent, { body = stored, args = "-H 'Content-Type:'", type = "" }), 415, "root", "json")
  end)

  it("counts what is asked of it", function()
    box:reset()
    assert.same({ total = 0, peak = 0, agents = {}, statuses = {}, writes = {} }, box:ledger())
    box:request("GET", agent)
    box:request("PUT", agent, { body = stored })
    box:request("PUT", agent, { body = "" })
    box:request("GET", "shop-de")
    box:request("GET")
    local ledger = box:ledger()
    assert.same({ ["shop-uk"] = { GET = 1, PUT = 2 }, ["shop-de"] = { GET = 1 }, ["-"] = { GET = 1 } }, ledger.agents)
    assert.equal(5, ledger.total)
    assert.same({ ["200"] = 3, ["400"] = 1, ["401"] = 1 }, ledger.statuses)
    assert.same({ ["shop-uk"] = 1 }, ledger.writes)
  end)

  it("keeps a connection for many requests", function()
    local command = "curl -s -o /dev/null -w '%%{num_connects} ' -H 'Authorization: Bearer %s' %s -o /dev/null %s"
    assert.equal("1 0 ", (sandbox.run_client(command:format(box.agents[1].token, box:url(), box:url()))))
  end)

  it("knows no agent and no page that it does not have behind the stage", function()
    local server = box.base_url:match "^%w+://[^/]+"
    local function status(method, path) return sandbox.request(method, server .. "/_sandbox/" .. path).status end
    assert.equal(404, status("GET", "document/nobody"))
    assert.equal(404, status("GET", "other"))
    assert.equal(404, status("GET", ""))
    assert.equal(405, status("POST", "ledger"))
  end)
end)

describe("the sandbox's limits", function()
  it("let through 120 reads and 60 writes a minute, a token and an endpoint", function()
    local box = sandbox.start { agents = 2 }
    local function many(count, words)
      local command = "curl -s -o /dev/null -w '%%{http_code}\n' -H 'Authorization: Bearer %s' %s '%s?[1-%d]'"
      local text = sandbox.run_client(command:format(box.agents[1].token, words, box:url(), count))
      local codes = {}
      for code in text:gmatch "%d%d%d" do codes[code] = (codes[code] or 0) + 1 end
      return codes
    end
    assert.same({ ["200"] = 120, ["429"] = 3 }, many(123, ""))
    local put = "-X PUT -d '{}' -H 'Content-Type: application/json'"
    assert.same({ ["400"] = 60, ["429"] = 2 }, many(62, put))
    local answer = box:request("GET", box.agents[1])
    assert.equal(429, answer.status)
    assert.equal("RATE_LIMITED", answer.json.errors.root[1].code)
    local wait = tonumber(answer.headers["retry-after"])
    assert.truthy(wait >= 1 and wait <= 60 and wait % 1 == 0)
    assert.equal(200, box:request("GET", box.agents[2]).status)
    assert.equal(200, box:request("PUT", box.agents[2], { body = box:document(box.agents[2].name) }).status)
    box:stop()
  end)

  it("hold in any 60 seconds, and Retry-After says when there is room again", function()
    local time = 1000
    local box = assert(handoff_sandbox.new { agents = 1, clock = function() return time end })
    local header = "Authorization: Bearer " .. box:agents()[1].token
    local function get()
      local before = box:requests().total
      local command = "env -u LD_PRELOAD curl -si -m 20 -H %s %shuman_handoff/configuration"
      local pipe = io.popen(command:format(program.quote(header), box:base_url()))
      while box:requests().total == before or box:connections() > 0 do box:step(20) end
      local text = pipe:read "*a"
      pipe:close()
      return tonumber(text:match "^HTTP/1.1 (%d+)"), tonumber(text:match "Retry%-After: (%d+)")
    end
    local function spend(count)
      for _ = 1, count do assert.equal(200, (get())) end
    end
    spend(60)
    time = 1030.5
    spend(60)
    assert.same({ 429, 30 }, { get() })
    time = 1059.9
    assert.same({ 429, 1 }, { get() })
    time = 1060
    spend(60)
    assert.same({ 429, 31 }, { get() })
    box:close()
  end)
end)

describe("a slow sandbox", function()
  it("lets fifty requests wait at once", function()
    local box = sandbox.start { agents = 1, latency = 500, no_rate_limit = true }
    local command = "curl -s --no-progress-meter -Z --parallel-immediate --parallel-max 50 -o /dev/null "
    command = command .. "-w '%%{http_code}\n' -H 'Authorization: Bearer %s' '%s?[1-50]'"
    local text = sandbox.run_client(command:format(box.agents[1].token, box:url()))
    assert.equal(("200\n"):rep(50), text)
    assert.equal(50, box:ledger().peak)
    box:stop()
  end)

  it("survives clients that do not wait", function()
    local box = sandbox.start { agents = 1, latency = 400 }
    local url, token = box:url(), box.agents[1].token
    local _, status = sandbox.run_client(("curl -s -m 0.1 -H 'Authorization: Bearer %s' %s"):format(token, url))
    assert.equal(28, status) -- curl: timed out
    assert.equal(200, box:request("GET", box.agents[1]).status)
    assert.equal(2, box:ledger().total)
    box:stop()
  end)

  it("stops with answers still held", function()
    local box = sandbox.start { agents = 1, latency = 3600000 }
    sandbox.run_client(("curl -s -m 0.1 -H 'Authorization: Bearer %s' %s"):format(box.agents[1].token, box:url()))
    assert.equal(1, box:ledger().total)
    box:stop()
  end)
end)

describe("the vendor's examples, with only URL and token changed,", function()
  local box
  local python
  setup(function()
    box = sandbox.start { agents = 1 }
    for _, candidate in ipairs { "python3", "/usr/bin/python3" } do
      local _, status = sandbox.run_client(candidate .. " -c 'import requests'")
      if status == 0 then python = python or candidate end
    end
  end)
  teardown(function() box:stop() end)
  before_each(function()
    local document = decode(box:document "shop-uk")
    document.settings.is_active = false
    box:store("shop-uk", encode(document))
    box:reset()
  end)

  local function adapt(text)
    return (text:gsub("https://app.quickchat.ai/v1/api/", box.base_url):gsub("<API_TOKEN>", box.agents[1].token))
  end

  local function run_python(script)
    if not python then return pending "not run: Debian has requests in: python3-requests" end
    return sandbox.run_client(python .. " -c " .. program.quote(adapt(script)))
  end

  it("work with curl", function()
    local output, status = sandbox.run_client(adapt [[
      curl -s https://app.quickchat.ai/v1/api/human_handoff/configuration \
      -H 'Authorization: Bearer <API_TOKEN>']])
    assert.equal(0, status)
    assert.equal(box:document "shop-uk", output)
  end)

  it("work with curl, jq and PUT", function()
    local output, status = sandbox.run_client("bash -c " .. program.quote(adapt [[
      # First, fetch the current configuration
      CONFIG=$(curl -s https://app.quickchat.ai/v1/api/human_handoff/configuration \
        -H 'Authorization: Bearer <API_TOKEN>')
      # Modify and PUT back (example: enable handoff)
      echo "$CONFIG" | jq '.settings.is_active = true' | \
      curl -s -X PUT https://app.quickchat.ai/v1/api/human_handoff/configuration \
        -H 'Authorization: Bearer <API_TOKEN>' \
        -H 'Content-Type: application/json' \
        -d @-]]))
    assert.equal(0, status)
    assert.is_true(assert(decode(output)).settings.is_active)
    assert.is_true(decode(box:document "shop-uk").settings.is_active)
  end)

  it("work with Python's requests", function()
    local output, status = run_python [[
import requests

response = requests.get(
    url="https://app.quickchat.ai/v1/api/human_handoff/configuration",
    headers={"Authorization": "Bearer <API_TOKEN>"},
)
data = response.json()
headers = {"Authorization": "Bearer <API_TOKEN>"}

# Fetch current configuration
config = requests.get(
    url="https://app.quickchat.ai/v1/api/human_handoff/configuration",
    headers=headers,
).json()

# Modify and PUT back
config["settings"]["is_active"] = True

response = requests.put(
    url="https://app.quickchat.ai/v1/api/human_handoff/configuration",
    headers=headers,
    json=config,
)
data = response.json()
]]
    assert.equal(0, status, output)
    assert.is_true(decode(box:document "shop-uk").settings.is_active)
    assert.same({ GET = 2, PUT = 1 }, box:ledger().agents["shop-uk"])
  end)
end)

describe("the sandbox's writes", function()
  local folder, path, box
  before_each(function()
    folder = program.folder()
    path = folder .. "/writes"
  end)
  after_each(function()
    if box then box:stop() end
    program.remove(folder)
  end)

  local function lines()
    local list = {}
    for line in io.lines(path) do list[#list + 1] = decode(line) end
    return list
  end

  it("go to a file for its owner only: what came, what is stored, and by whom", function()
    box = sandbox.start { agents = 2, writes = path }
    assert.equal("600\n", (program.run("stat -c %a " .. path)))
    local before = box:document "shop-uk"
    local document = decode(before)
    document.settings.question_message = "Mine?"
    local mine = encode(document)
    document.settings.emails = { "a@b.example" }
    local added = encode(document)
    box:request("GET", "shop-uk")
    box:request("PUT", "shop-uk", { body = mine })
    box:request("PUT", "shop-uk", { body = "{}" })
    box:faults { { fault = "drop_field", path = "settings.emails", method = "PUT" } }
    box:request("PUT", "shop-uk", { body = added })
    box:faults { { fault = "edit", path = "settings.keywords", value = { "theirs" } } }
    box:request("GET", "shop-de")
    assert.same({ "theirs" }, decode(box:document "shop-de").settings.keywords)
    local theirs = box:document "shop-de"
    box:store("shop-de", before)
    assert.same({
      { agent = "shop-uk", by = "PUT", text = mine }, { agent = "shop-uk", by = "PUT", text = mine, sent = added },
      { agent = "shop-de", by = "edit", text = theirs }, { agent = "shop-de", by = "document", text = before },
    }, lines())
  end)

  it("are merged behind the stage where somebody else patches, and keep what they do not name", function()
    box = sandbox.start { agents = 1, writes = path }
    local url = box.base_url:match "^%w+://[^/]+" .. "/_sandbox/document/shop-uk"
    local before = decode(box:document "shop-uk")
    local patch = '{"settings": {"emails": [], "question_message": "Theirs?"}}'
    local answer = sandbox.request("PATCH", url, { body = patch })
    assert.equal(200, answer.status)
    before.settings.emails, before.settings.question_message = core.json.array {}, "Theirs?"
    assert.equal(encode(before), encode(decode(box:document "shop-uk")))
    assert.equal(400, sandbox.request("PATCH", url, { body = "{" }).status)
    assert.equal(1, #lines())
  end)

  it("need a file that can be written", function()
    local none, err = handoff_sandbox.new { agents = 1, writes = folder }
    assert.is_nil(none)
    assert.equal(folder .. ": it is there and no regular file; name a file that can be written", tostring(err))
  end)
end)

describe("the sandbox's agents", function()
  -- The clock stands in for nothing here: no request is made.
  local function agents(options)
    local box = assert(handoff_sandbox.new(options))
    local list = box:agents()
    local first = box:document(list[1].name)
    box:close()
    return list, first
  end

  it("have tokens that are JWTs, good for 52 weeks from their making", function()
    for i, one in ipairs(agents { agents = 3, read_only = 1, issued = 1700000000 }) do
      local header, claims, signature = one.token:match "^([%w_-]+)%.([%w_-]+)%.([%w_-]+)$"
      assert.same({ alg = "HS256", typ = "JWT" }, decode(base64url_decode(header)))
      assert.equal(32, #base64url_decode(signature))
      claims = decode(base64url_decode(claims))
      assert.equal(1700000000, claims.iat)
      assert.equal(1700000000 + 52 * 7 * 24 * 3600, claims.exp)
      assert.equal(i == 3 and "read_all" or "write_all", claims.scope)
      assert.truthy(claims.scenario_id:match "^%l+$")
    end
    local claims = decode(base64url_decode(agents({ agents = 1 })[1].token:match "%.(.-)%."))
    assert.truthy(claims.iat <= os.time() and claims.exp > os.time() + 40 * 7 * 24 * 3600)
  end)

  it("follow from the seed alone, on every VM", function()
    local one, document = agents { agents = 30, seed = 7, issued = 1700000000 }
    local same, same_document = agents { agents = 30, seed = 7, issued = 1700000000 }
    local other, other_document = agents { agents = 30, seed = 8, issued = 1700000000 }
    assert.same(one, same)
    assert.equal(document, same_document)
    assert.not_equal(document, other_document)
    assert.not_equal(one[1].token, other[1].token)
    assert.equal("dfoH_epRo6rO7B_YUTERNBW3u7Mc27vCAYFdOI3LMT0", one[1].token:match "[^.]+$")
  end)

  it("are many, each with a name and a token of its own", function()
    local names, tokens, regions = {}, {}, {}
    for _, one in ipairs(agents { agents = 2000 }) do
      assert.is_nil(names[one.name])
      assert.is_nil(tokens[one.token])
      names[one.name], tokens[one.token], regions[one.tags.region] = true, true, true
      assert.truthy(one.tags.tier)
    end
    assert.truthy(names["shop-uk"] and names["support-de"] and regions.eu and regions.us)
  end)

  it("have documents that break no rule, in several zones and languages", function()
    local box = assert(handoff_sandbox.new { agents = 100 })
    local zones, text, count = {}, "", 0
    for _, one in ipairs(box:agents()) do
      local document = decode(box:document(one.name))
      for _, issue in ipairs(core.check.document(document)) do
        assert.equal("sent_unknown", issue.rule, one.name .. ": " .. issue.path .. ": " .. issue.message)
      end
      if not zones[document.settings.timezone] then count = count + 1 end
      zones[document.settings.timezone] = true
      text = text .. box:document(one.name)
    end
    assert.truthy(count >= 5)
    for _, part in ipairs { "ö", "é", "ł", "ñ", "👋", '"targets":[]', '"labels":{}' } do
      assert.truthy(text:find(part, 1, true), part)
    end
    assert.is_nil(box:document "nobody")
    box:close()
  end)
end)

describe("sandbox.new", function()
  it("reads its options strictly", function()
    assert.error_matches(function() handoff_sandbox.new { agent = 3 } end, 'did you mean "agents"')
    assert.error_matches(function() handoff_sandbox.new { agents = 0 } end, "out of range")
    assert.error_matches(function() handoff_sandbox.new { rate_limit = 1 } end, "boolean expected")
  end)

  it("says why it cannot listen, and closes twice", function()
    local box = assert(handoff_sandbox.new { agents = 1 })
    local port = tonumber(box:base_url():match ":(%d+)/")
    local none, err = handoff_sandbox.new { agents = 1, port = port }
    assert.is_nil(none)
    assert.equal("network", err.kind)
    assert.truthy(tostring(err):find("Address already in use; choose another port", 1, true))
    box:close()
    box:close()
  end)
end)
