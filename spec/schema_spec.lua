-- SPDX-License-Identifier: MIT
local schema = require("handoff.core").schema

local function walk(row, path, visit)
  visit(row, path)
  if row.item then walk(row.item, path .. "[]", visit) end
  for _, field in ipairs(row.fields or {}) do
    walk(field, path == "" and field.name or path .. "." .. field.name, visit)
  end
end

local function by_path()
  local rows = {}
  walk(schema.document(), "", function(row, path) rows[path] = row end)
  return rows
end

describe("schema.document", function()
  it("describes the five parts in the order of the API's page", function()
    local names = {}
    for i, part in ipairs(schema.document().fields) do names[i] = part.name end
    assert.same({ "settings", "availability", "generic_guidelines", "custom_guidelines", "routing_profiles" }, names)
  end)

  it("keeps the canonical order of fields", function()
    local names = {}
    for i, field in ipairs(by_path()["routing_profiles[]"].fields) do names[i] = field.name end
    assert.same({ "id", "name", "description", "is_active", "user_ids" }, names)
  end)

  it("says of each row what applies to it, and nothing else", function()
    local rows = by_path()
    local expected = {
      ["settings.is_active"] = { kind = "boolean" },
      ["settings.confirmation_message"] = { kind = "string", max = 500 },
      ["settings.timezone"] = { kind = "string", format = "zone" },
      ["settings.keywords[]"] = { kind = "string" },
      ["settings.emails[]"] = { kind = "string", format = "email" },
      ["settings.topic_based_routing_active"] = { kind = "boolean", read_only = true,
        why = "it follows from the routing profiles: switch those on or off" },
      ["availability[].id"] = { kind = "integer", id = true },
      ["availability[].day_span"] = { kind = "string", format = "day_span", required = true },
      ["availability[].end_time"] = { kind = "string", format = "time", required = true },
      ["custom_guidelines[].name"] = { kind = "string", max = 100, required = true, identity = true },
      ["routing_profiles[].user_ids[]"] = { kind = "integer" },
      ["generic_guidelines[].name"] = { kind = "string", required = true, identity = true, choices = {
        "user_frustration", "customer_support_suggestion", "lack_of_knowledge", "irrelevant_advice", "media_message",
      } },
    }
    for path, row in pairs(expected) do
      local got = assert(rows[path], path)
      row.name, row.doc = got.name, got.doc
      assert.same(row, got, path)
    end
    assert.is_true(rows.generic_guidelines.fixed)
    assert.is_nil(rows.custom_guidelines.fixed)
    assert.equal("slot", rows["availability[]"].object)
  end)

  it("has a line of help for every row, and a name for every field", function()
    walk(schema.document(), "", function(row, path)
      assert.matches("^%u[^\n]*%.$", row.doc, 1, nil, path)
      assert.equal(path:match "([%w_]+)$", row.name, path)
    end)
  end)

  it("is the caller's own", function()
    schema.document().fields[1].name = "mine"
    assert.equal("settings", schema.document().fields[1].name)
  end)
end)

describe("schema.nearest", function()
  it("finds what a slip was meant to be", function()
    local names = { "timeout", "retries", "proxy" }
    for slip, meant in pairs { timeOut = "timeout", time_out = "timeout", retires = "retries", retrys = "retries",
                               prox = "proxy", porxy = "proxy" } do
      assert.equal(meant, schema.nearest(slip, names), slip)
    end
    assert.is_nil(schema.nearest("colour", names))
    assert.is_nil(schema.nearest("", names))
    assert.is_nil(schema.nearest("timeout", {}))
  end)

  it("raises on what is not a name and a list of names", function()
    for _, arguments in ipairs { { 1, {} }, { "a", "b" }, { "a", { 1 } }, { "a", { "b", {} } }, {}, { nil, {} } } do
      assert.is_false((pcall(schema.nearest, arguments[1], arguments[2])))
    end
  end)
end)

describe("schema.zone", function()
  it("knows the system's zones, and says of others what was meant", function()
    assert.same({ "known" }, { schema.zone "UTC" })
    for name, why in pairs {
      ["europe/london"] = '"europe/london" is no time zone; did you mean "Europe/London"?',
      ["America/New York"] = '"America/New York" is no time zone; did you mean "America/New_York"?',
      ["../../../etc/hostname"] = '"../../../etc/hostname" is no time zone; write Area/City, such as Europe/London',
    } do
      assert.same({ "unknown", why }, { schema.zone(name) })
    end
    assert.is_false((pcall(schema.zone, 1)))
  end)
end)

describe("schema.utf8_length", function()
  it("counts code points, or tells where the text is broken", function()
    assert.equal(0, schema.utf8_length "")
    assert.equal(5, schema.utf8_length "Zoë \240\159\152\128")
    assert.equal(3, schema.utf8_length "a\0b")
    assert.same({ n = 2, nil, 3 }, { n = select("#", schema.utf8_length "ab\255"), schema.utf8_length "ab\255" })
    assert.same({ nil, 1 }, { schema.utf8_length "\237\160\128" })
    assert.is_false((pcall(schema.utf8_length, 12)))
  end)
end)
