-- SPDX-License-Identifier: MIT
local random = require "support.random"
local select_agents = require "handoff.select"

local agents = {
  { name = "shop-uk", tags = { region = "eu", tier = "gold", team = "night shift" } },
  { name = "shop-us", tags = { region = "us", tier = "free" } },
  { name = "Żółw?", tags = { region = "eu", note = "" } },
  { name = "bank", tags = { ["größe"] = 'a,b "c" \\ *', tier = "silver" } },
}

local function names(list)
  local found = {}
  for i, agent in ipairs(list) do found[i] = agent.name end
  return table.concat(found, " ")
end

local function refused(...)
  local ok, err = pcall(...)
  assert.is_false(ok)
  assert.equal("invalid", err.kind)
  assert.matches("^[^\n]*select_spec%.lua:%d+: select: [^\n]+$", tostring(err))
  return err
end

describe("select.apply", function()
  it("chooses the agents of which all terms hold, in their order", function()
    for text, expected in pairs {
      ["region=eu"] = "shop-uk Żółw?",
      ["region=eu tier=gold"] = "shop-uk",
      ["  region=eu \t\n tier!=gold "] = "Żółw?",
      ["region=eu,us"] = "shop-uk shop-us Żółw?",
      ["region!=eu,us"] = "bank",
      ["region!=eu"] = "shop-us bank",
      ["region!=nowhere"] = "shop-uk shop-us Żółw? bank",
      ["region=nowhere"] = "",
      ["name=bank,shop-us"] = "shop-us bank",
      ["name~shop-*"] = "shop-uk shop-us",
      ["name~shop-*,b*k"] = "shop-uk shop-us bank",
      ["name!~shop-*,b*k"] = "Żółw?",
      ["name~shop-u?"] = "shop-uk shop-us",
      ["name~????"] = "bank",
      ["name~?????"] = "Żółw?",
      ["name~*?"] = "shop-uk shop-us Żółw? bank",
      ["name~*op*k*"] = "shop-uk",
      ["name~**an**"] = "bank",
      ["name~shop"] = "",
      ["name~hop-uk"] = "",
      ["name~shop.us"] = "",
      ["name~*k*k"] = "",
      ["region~*"] = "shop-uk shop-us Żółw?",
      ["region!~*"] = "bank",
      ['note=""'] = "Żółw?",
      ['note~""'] = "Żółw?",
      ['note!=""'] = "shop-uk shop-us bank",
      ['team="night shift"'] = "shop-uk",
      ['team~"night *",x'] = "shop-uk",
      ['größe="a,b \\"c\\" \\\\ *"'] = "bank",
      ['größe~*\\\\*'] = "",
      ['größe~"a,?*"'] = "bank",
      ["tier=a=b,c~d"] = "",
    } do
      assert.equal(expected, names(select_agents.apply(agents, text)), text)
    end
  end)

  it("matches what a slow and sure matcher does", function()
    local function sure(glob, text)
      if glob == "" then return text == "" end
      local c = glob:sub(1, 1)
      if c == "*" then return sure(glob:sub(2), text) or text ~= "" and sure(glob, text:sub(2)) end
      return text ~= "" and (c == "?" or c == text:sub(1, 1)) and sure(glob:sub(2), text:sub(2))
    end
    local r = random(1)
    local function make(letters, most)
      local text = {}
      for i = 1, r:below(most) + 1 do text[i] = r:one(letters) end
      return table.concat(text)
    end
    for _ = 1, 3000 do
      local name, glob = make({ "a", "b", ".", "%", "]" }, 8), make({ "a", "b", ".", "%", "]", "*", "*", "?" }, 6)
      local chosen = select_agents.apply({ { name = name, tags = {} } }, "name~" .. glob)
      assert.equal(sure(glob, name), #chosen == 1, glob .. " " .. name)
    end
  end)

  it("is quick with many stars", function()
    local name = ("a"):rep(200)
    assert.same({}, select_agents.apply({ { name = name, tags = {} } }, "name~" .. ("*a"):rep(100) .. "*b"))
  end)

  it("refuses a key that no agent has, and says which was meant", function()
    local err = refused(select_agents.apply, agents, "tier=gold regoin=eu")
    assert.same({ "unknown", 11, 'column 11: no agent has a tag "regoin"; did you mean "region"?' },
      { err.rule, err.column, err.message })
    err = refused(select_agents.apply, agents, "x=eu")
    assert.equal('column 1: no agent has a tag "x"; known are: größe, name, note, region, team, tier', err.message)
    assert.same({}, select_agents.apply({}, "x=eu"))
  end)

  it("points at what is no term", function()
    for text, column in pairs {
      ["region"] = 7, ["region eu"] = 7, ["region="] = 8, ["region= eu"] = 8, ["region =eu"] = 7, ["region!eu"] = 7,
      ["=eu"] = 1, ["a=b !c=d"] = 5, ["a=b,"] = 5, ["a=,b"] = 3, ["a=b,,c"] = 5, ['a="b'] = 3, ['a="b\\"'] = 3,
      ['a="b"c'] = 6, ['a=b"c"'] = 4, ["größe=ß x"] = 10, ['"a"=b'] = 1, [",a=b"] = 1, ['a=b "c"=d'] = 5,
    } do
      local err = refused(select_agents.apply, agents, text)
      assert.same({ "syntax", column }, { err.rule, err.column }, text)
    end
  end)

  it("refuses what is no text, or none that says something", function()
    for _, text in ipairs { "", "  \n", "\255", 7, false, {} } do refused(select_agents.apply, agents, text) end
    refused(select_agents.apply, agents)
  end)
end)

describe("select.parse", function()
  it("gives a predicate of one agent", function()
    local holds = select_agents.parse "region=eu name~shop-*"
    assert.is_true(holds(agents[1]))
    assert.is_false(holds(agents[2]))
    assert.is_false(holds { name = "shop-x" })
  end)
end)

describe("select.shard", function()
  local many = {}
  for i = 1, 2000 do many[i] = { name = ("shop-%d"):format(i), tags = {} } end

  it("parts the agents: each is in one part, in their order", function()
    for _, n in ipairs { 1, 2, 7, 8, 31, 3000 } do
      local seen, total = {}, 0
      for i = 1, n do
        local last = 0
        for _, agent in ipairs(select_agents.shard(many, i, n)) do
          local number = tonumber(agent.name:match "%d+")
          assert.is_true(not seen[agent] and number > last)
          seen[agent], last, total = true, number, total + 1
        end
      end
      assert.equal(2000, total)
    end
  end)

  it("makes parts of about one size", function()
    for i = 1, 8 do
      local size = #select_agents.shard(many, i, 8)
      assert.is_true(size > 200 and size < 300, size)
    end
  end)

  it("goes by the name alone, today as tomorrow, on every VM", function()
    local parts = {}
    for i = 1, 8 do
      for _, agent in ipairs(select_agents.shard(agents, i, 8)) do parts[agent.name] = i end
    end
    assert.same({ ["shop-uk"] = 5, ["shop-us"] = 3, ["Żółw?"] = 5, bank = 5 }, parts)
  end)

  it("refuses parts that are none", function()
    for _, pair in ipairs {
      { 0, 8 }, { 9, 8 }, { 1.5, 8 }, { 1, 0 }, { 1, 2.5 }, { "1", 8 }, { 1, 0 / 0 }, { 0 / 0, 8 }, { 1, 1e9 }, {},
    } do
      refused(select_agents.shard, many, pair[1], pair[2])
    end
  end)
end)
