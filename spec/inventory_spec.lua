-- SPDX-License-Identifier: MIT
local core = require "handoff.core"
local gc = require "support.gc"
local inventory = require "handoff.inventory"
local jwt = require "support.jwt"
local program = require "support.program"
local sandbox = require "handoff.sandbox"
local seed = require "handoff.sandbox.seed"

local NOW = 1767225600 -- 2026-01-01

-- A token, other than any with another number.
local function token(n, more)
  return jwt(('{"scenario_id":"s%d","scope":"write_all"%s}'):format(n, more or ""), "signature " .. n)
end

describe("an inventory", function()
  local folder
  before_each(function() folder = program.folder() end)
  after_each(function() program.remove(folder) end)

  local function write(name, text) return program.write(folder .. "/" .. name, text) end

  -- The issues of an error as lines, without the folder; one that a token is in is none.
  local function lines_of(err)
    assert.is_true(core.error.is(err), tostring(err))
    assert.equal("invalid", err.kind)
    assert.is_nil(tostring(err):find "\n")
    local lines = {}
    for i, issue in ipairs(err.issues) do
      local line = ("%s: %s [%s]"):format(issue.path, issue.message, issue.rule)
      lines[i] = line:gsub(folder:gsub("%p", "%%%0") .. "/", "")
      assert.equal(issue.line, tonumber(issue.path:match ":(%d+)$"))
      for _, value in pairs(issue) do assert.is_nil(tostring(value):find("eyJ", 1, true), value) end
    end
    assert.truthy(tostring(err):find(err.issues[1].message, 1, true))
    assert.is_nil(tostring(err):find("eyJ", 1, true))
    return lines
  end

  local function refused(source)
    local ok, err = pcall(inventory.load, source)
    assert.is_false(ok)
    assert.matches("^[^\n]*inventory_spec%.lua:%d+: ", tostring(err))
    return lines_of(err)
  end

  local function unresolved(agents, now)
    local ok, err = inventory.resolve(agents, now or NOW)
    assert.is_nil(ok)
    return lines_of(err)
  end

  describe("is read", function()
    -- What all can see of the agents, with their tokens.
    local function plain(agents)
      assert.is_true(inventory.resolve(agents, NOW))
      local list = {}
      for i, agent in ipairs(agents) do
        list[i] = { agent.name, agent.tags, agent.line or "?", agent.token, agent.base_url }
      end
      return list
    end

    local function expected(first, second, third)
      return {
        { "shop-uk", { region = "eu", tier = "gold" }, first, token(1) },
        { "Żółw, \"x\"", {}, second, token(2), "http://127.0.0.1:1/" },
        { "c", { region = "us" }, third, token(3) },
      }
    end

    it("from Lua", function()
      write("token", "  " .. token(3) .. " \r\nmore\n")
      local path = write("agents.lua", ([[
        -- what comes back is a list: return { {} }
        local eu = { region = "eu", tier = "gold" }
        return {
          { name = "shop-uk", token = %q, tags = eu },
          --[=[ { name = "not this one" }, ]=]
          { name = 'Żółw, "x"',
            token = command "echo '  %s '; echo not this",
            base_url = "http://127.0.0.1:1/" }; { name = "c", token = file "token",
            tags = { region = "us" }, },
        }]]):format(token(1), token(2)))
      assert.same(expected(4, 6, 8), plain(inventory.load(path)))
    end)

    it("from several files, whose agents are apart", function()
      local shops = write("shops.lua", ("return { { name = 'shop-uk', token = %q } }"):format(token(1)))
      local desk = write("desk.csv", "name,token\ndesk," .. token(2) .. "\n")
      local both = plain(inventory.load { shops, desk })
      assert.same({ { "shop-uk", {}, 1, token(1) }, { "desk", {}, 2, token(2) } }, both)
      local same = write("same.csv", "name,token\nshop-uk," .. token(3) .. "\nother," .. token(1) .. "\n")
      assert.same({
        "same.csv:2: shop-uk: the name is taken (shops.lua:1); give each agent its own [duplicate]",
        "same.csv:3: other: its token is that of shop-uk too (shops.lua:1); give each agent its own [token]",
      }, refused { shops, same })
      local list, err = inventory.load { shops, folder .. "/nope.lua" }
      assert.is_nil(list)
      assert.matches("nope.lua: the inventory cannot be read: ", tostring(err))
      assert.is_false(pcall(inventory.load, { shops, { name = "x" } }))
    end)

    it("from JSON", function()
      write("token", token(3))
      local path = write("agents.json", ([[
        [
          {"name": "shop-uk", "token": "%s", "tags": {"region": "eu", "tier": "gold"}},

          {"name": "Żółw, \"x\"", "token": "%s", "base_url": "http://127.0.0.1:1/"}, {
            "name": "c", "token_file": "token", "tags": {"region": "us"}}
        ]
      ]]):format(token(1), token(2)))
      assert.same(expected(2, 4, 4), plain(inventory.load(path)))
    end)

    it("from CSV, as spreadsheets write it", function()
      write("token", token(3))
      local text = table.concat({
        "\239\187\191name,token,tag.region,tier,base_url,token_file",
        "shop-uk," .. token(1) .. ",eu,gold,,",
        "",
        '"Żółw, ""x""",' .. token(2) .. ',"",,"http://127.0.0.1:1/",',
        'c,,"us",,,token',
      }, "\r\n")
      assert.same(expected(2, 4, 5), plain(inventory.load(write("agents.csv", text))))
      assert.same(expected(2, 4, 5), plain(inventory.load(write("agents.csv", text:gsub("\r", "") .. "\n"))))
    end)

    it("from a list in Lua, where a token may be a function, which is called to be looked at, and stays", function()
      local calls = 0
      local function get_token()
        calls = calls + 1
        return token(3)
      end
      local list = {
        { name = "shop-uk", token = token(1), tags = { region = "eu", tier = "gold" } },
        { name = 'Żółw, "x"', token_command = "echo " .. token(2), base_url = "http://127.0.0.1:1/" },
        { name = "c", token = get_token, tags = { region = "us" } },
      }
      local agents = inventory.load(list)
      assert.equal(0, calls)
      local same = expected("?", "?", "?")
      same[3][4] = get_token
      assert.same(same, plain(agents))
      assert.equal(1, calls)
      list[1].tags.region = "changed"
      assert.equal("eu", agents[1].tags.region)
    end)

    it("as the sandbox writes it, ten thousand agents too", function()
      local list = {}
      for i = 1, 10000 do list[i] = seed.agent(1, i, "write_all", NOW) end
      local agents = inventory.load(write("agents.lua", sandbox.inventory_text(list)))
      assert.is_true(inventory.resolve(agents, NOW))
      assert.equal(10000, #agents)
      assert.same({ list[10000].name, list[10000].token, 10002 },
        { agents[10000].name, agents[10000].token, agents[10000].line })
      assert.same({}, inventory.duplicates(agents))
    end)

    it("or is not there: an error, not a mistake of the script", function()
      for _, path in ipairs { folder .. "/nope.lua", folder .. "/nope.csv", folder .. "/sub.json" } do
        program.run("mkdir -p " .. folder .. "/sub.json")
        local agents, err = inventory.load(path)
        assert.is_nil(agents)
        assert.equal("file", err.rule)
        assert.matches("cannot be read: [NI][os] %a+ ?%a*", tostring(err))
      end
      for _, source in ipairs { "agents", "agents.txt", "", 7, false } do
        assert.is_false(pcall(inventory.load, source))
      end
      assert.same({}, inventory.load {})
    end)
  end)

  describe("shows no token", function()
    it("to pairs and tostring, nor what else is private, and hides how it is kept", function()
      local agents = inventory.load { { name = "a", token = token(1), proxy = "http://user:secret@127.0.0.1:1/" } }
      assert.is_nil(agents[1].token)
      inventory.resolve(agents, NOW)
      local seen = {}
      for key in pairs(agents[1]) do seen[key] = true end
      assert.same({ name = true, tags = true }, seen)
      assert.equal("handoff.agent(a)", tostring(agents[1]))
      assert.equal("handoff agent", getmetatable(agents[1]))
      assert.same({ name = "a", token = token(1), proxy = "http://user:secret@127.0.0.1:1/" },
        inventory.options(agents[1]))
    end)
  end)

  describe("that is wrong", function()
    local function refuses(name, text, ...)
      assert.same({ ... }, refused(write(name, text)))
    end

    it("says all that is, by line, agent and what to do", function()
      refuses("agents.lua", ([[return {
          { name = "a", token = %q, tokne = %q, [7] = %q },
          { nmae = "b",
            token =
              file %q },
          { name = "a", token = {} }, { name = "c", token = %q, token_env = "X", tags = "eu" },
          { name = " f", tags = env "X" }, { 1 },
        }]]):format(token(1), token(2), token(3), token(4), token(5)),
        'agents.lua:2: a: a value without a key; write name = …, token = … [unknown]',
        'agents.lua:2: a: no key "tokne"; did you mean "token"? [unknown]',
        'agents.lua:3: no name; give the agent one: name = "shop-uk" [required]',
        'agents.lua:3: no key "nmae"; did you mean "name"? [unknown]',
        'agents.lua:5: file takes a path: file "tokens/shop-uk", not the token itself [token]',
        'agents.lua:6: a: token: a text expected, or env "X", file "path", command "…" in a file of Lua; got table '
          .. "[type]",
        'agents.lua:6: c: more than one token; leave one of token, token_env, token_file, token_command [token]',
        'agents.lua:6: c: tags: a table expected, got string; write tags = { region = "eu" } [type]',
        'agents.lua:6: a: the name is taken (agents.lua:2); give each agent its own [duplicate]',
        "agents.lua:7: name: a text expected that is not empty, and does not begin or end with a blank [name]",
        'agents.lua:7: tags: a table expected, got table; write tags = { region = "eu" } [type]',
        'agents.lua:7: no name; give the agent one: name = "shop-uk" [required]',
        "agents.lua:7: a value without a key; write name = …, token = … [unknown]")
    end)

    it("says how many more there are, and on which lines", function()
      local function message(text) return select(2, pcall(inventory.load, write("agents.csv", text))).message end
      assert.matches("^no name; .+ %(and 2 more in err%.issues, lines 3, 4%)$", message "name,token\n,x\n,y\n,z\n")
      assert.matches("lines 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 …%)$", message("name,token\n" .. (",x\n"):rep(12)))
      local _, err = pcall(inventory.load, { {}, {} })
      assert.matches(" %(and %d+ more in err%.issues%)$", err.message)
    end)

    it("says no more than a thousand things of one", function()
      local rows = { "name,token" }
      for i = 1, 600 do rows[i + 1] = "a,b" end
      assert.equal(1000, #select(2, pcall(inventory.load, write("agents.csv", table.concat(rows, "\n")))).issues)
    end)

    it("says where a CSV has more rows than there may be agents", function()
      gc.restful()
      local issues = select(2, pcall(inventory.load, write("agents.csv",
        "token\n" .. ("a\n"):rep(1000000) .. "\n\na\n"))).issues -- without names, so that it ends at its rows
      assert.equal(2, #issues)
      assert.equal("more than 1000000 agents; make two files of it", issues[1].message)
      assert.equal(1000004, issues[1].line)
      assert.equal("required", issues[2].rule)
    end)

    it("says which tags are none", function()
      local tags = { region = 1, ok = true, name = "x", ["a b"] = "x", line = "a\nb", [3] = "x", long = ("x"):rep(201) }
      tags.tags = tags
      local none = ' cannot be the name of a tag; take one word other than "name", without = ! ~ , " [tag]'
      assert.same({
        "inventory[1]: a: tags: a number" .. none,
        'inventory[1]: a: tags: "a b"' .. none,
        "inventory[1]: a: tags.line: a text of one line expected, got one with control characters [tag]",
        "inventory[1]: a: tags.long: a text of one line expected, got one with 201 characters, at most 200 allowed "
          .. "[tag]",
        'inventory[1]: a: tags: "name"' .. none,
        "inventory[1]: a: tags.ok: a text expected, got boolean; put it in quotes [type]",
        "inventory[1]: a: tags.region: a text expected, got number; put it in quotes [type]",
        "inventory[1]: a: tags.tags: a text expected, got table; put it in quotes [type]",
      }, refused { { name = "a", tags = tags } })
    end)

    it("says which names are none", function()
      local line = "inventory[1]: name: a text of one line expected, got one with "
      assert.same({ line .. "control characters [name]" }, refused { { name = "a\27[31m" } })
      assert.same({ line .. "control characters [name]" }, refused { { name = "a\194\155" } })
      assert.same({ line .. "bytes that are not UTF-8 [name]" }, refused { { name = "a\255" } })
      assert.same({ line .. "100000000 characters, at most 200 allowed [name]" }, refused { { name = ("x"):rep(1e8) } })
      assert.same({ "inventory[1]: name: a text expected, got number [type]" }, refused { { name = 7 } })
      assert.same({
        "inventory[1]: name: a token; give the agent a name that all may see, and the token as token [name]",
        "inventory[2]: b: tags.x: a token, which a tag would show; give it as token [tag]",
      }, refused { { name = token(1) }, { name = "b", tags = { x = token(2) } } })
    end)

    it("says that it is no list", function()
      local what = ": a list of agents expected, { { name = …, token = … }, … }, got "
      for _, list in ipairs { { a = {} }, { {}, [3] = {} }, { [0] = {} }, { [1.5] = {} } } do
        assert.same({ "inventory" .. what .. "a table with other keys than 1, 2, 3 … [type]" }, refused(list))
      end
      refuses("agents.lua", "local list = {}", "agents.lua" .. what .. "nil [type]")
      refuses("agents.json", '{"name": "a"}', "agents.json" .. what .. "a table with other keys than 1, 2, 3 … [type]")
      refuses("agents.json", "[1]", "agents.json[1]: an agent expected, { name = …, token = … }, got number [type]")
      refuses("agents.json", '[\n{"name": null}]', "agents.json:2: name: a text expected, got null [type]")
      refuses("agents.json", '[\n{"a": 1,}]',
        "agents.json:2: not JSON at line 2, column 9: a name in double quotes expected [syntax]")
    end)

    it("says where a file of Lua does not read, without what stands there", function()
      refuses("agents.lua", ("return {\n{ name = 'a',\n token = '%s }"):format(token(1)),
        "agents.lua:3: unfinished string [syntax]")
      refuses("agents.lua", ("return {\n{ name = 'a'\n token = '%s' } }"):format(token(1)),
        "agents.lua:3: '}' expected (to close '{' at line 2) [syntax]")
      refuses("agents.lua", "return { { name = 'a' token = 'x' } }",
        "agents.lua:1: '}' expected; look for a comma, a quote or a bracket that is missing there or just before "
          .. "[syntax]")
      refuses("agents.lua", "{ { name = 'a' } }",
        "agents.lua:1: unexpected symbol; an inventory begins with return { …, and its texts stand in quotes [syntax]")
      assert.is_nil(refused(write("agents.lua", "return 'short one' & 1"))[1]:find "short one")
      for _, code in ipairs { "env", "env.", "nothing." } do
        local path = write("agents.lua", "local nothing = {} return " .. code .. "sk_live_7.x")
        assert.is_nil(refused(path)[1]:find "sk_live")
      end
      for _, code in ipairs { "'%s' + 1", "{} .. '%s'", "('%s')()", "({})['%s'].x", "#env.x['%s']", "'%s' & 1" } do
        local lines = refused(write("agents.lua", "\nlocal a = " .. code:format(token(1))))
        assert.matches("^agents.lua:2: [^\n]+ %[syntax%]$", lines[1])
      end
    end)

    it("says what is wrong in CSV, with the line where the row begins", function()
      refuses("agents.csv", 'name,note\na,"1\n2"\n"b"\n\n"b",x\nb,x\nc,"x"y\nd,x',
        "agents.csv:2: a: tags.note: a text of one line expected, got one with control characters [tag]",
        "agents.csv:4: 1 cells, and 2 columns; an empty cell keeps its comma [cells]",
        "agents.csv:7: b: the name is taken (agents.csv:6); give each agent its own [duplicate]",
        "agents.csv:8: text after the quote that closes a cell; a quote within a cell is written twice [syntax]")
      refuses("agents.csv", "nam,tokens,,x,tag.x",
        'agents.csv:1: the column "tokens": did you mean "token"? A tag that is called so is the column tag.NAME '
          .. "[unknown]",
        "agents.csv:1: a column without a name in the header [unknown]",
        'agents.csv:1: the column "tag.x" stands there twice [duplicate]',
        "agents.csv:1: no column name; the first line names the columns, with commas between: "
          .. "name,token_env,tag.region [required]")
      refuses("agents.csv", 'name\na"', "agents.csv:2: a quote within a cell; put the whole cell in quotes, and write "
        .. "each of its own twice [syntax]")
      refuses("agents.csv", 'name\n"a', "agents.csv:2: a quote that is not closed [syntax]")
      assert.equal(1, #refused(write("agents.csv", "")))
    end)

    it("says a line only where it is sure of it", function()
      for _, text in ipairs {
        'local list = {}\nfor i = 1, 1 do list[i] = { name = "a", x = 1 } end return list',
        'if false then return { { name = "b" } } end\nreturn { { name = "a", x = 1 } }',
        'local a = { name = "a", x = 1 }\nreturn { a }',
        'return { [1] = { name = "a", x = 1 } }',
        'local b = { name = "a", x = 1 }\nreturn { b,\n{ name = "b" } }',
        'local function f() return { name = "a", x = 1 } end\nreturn { f() }',
        'return { (nil),\n{ name = "b" } } and { { name = "a", x = 1 } }',
      } do
        assert.matches("^agents.lua%[1%]: a: no key \"x\"", refused(write("agents.lua", text))[1])
      end
    end)

    it("has one token under two names, unless it is of two services", function()
      local text = "name,token,base_url\na,%s,\nb,%s,http://127.0.0.1:1/\nc,%s,%s\n"
      refuses("agents.csv", text:format(token(1), token(1), token(1), ""),
        "agents.csv:4: c: its token is that of a too (agents.csv:2); give each agent its own [token]")
      local path = write("agents.csv", text:format(token(1), token(1), token(1), "http://[::1]:1/"))
      assert.equal(3, #inventory.load(path))
    end)
  end)

  describe("written in Lua to do harm", function()
    local function ends(text, pattern)
      local lines = refused(write("agents.lua", text))
      assert.equal(1, #lines)
      assert.matches(pattern, lines[1])
    end

    it("reaches env, file and command, and nothing else", function()
      for _, name in ipairs {
        "os", "io", "require", "load", "loadstring", "dofile", "_G", "getmetatable", "setmetatable", "rawset", "debug",
        "coroutine", "string", "pcall", "error", "getfenv", "package", "collectgarbage", "jit", "ffi",
      } do
        ends(("\nlocal it = %s\nreturn {}"):format(name),
          "^agents.lua:2: there is no " .. name .. " here; an inventory has env")
      end
    end)

    it("has no methods of texts, which others have meanwhile and afterwards", function()
      ends('\nreturn { { name = ("x"):rep(1e10) } }', "^agents.lua:2: texts have no methods here")
      ends('local s = "x"\nreturn s.dump(env)', "^agents.lua:2: texts have no methods here")
      assert.equal("X", ("x"):upper())
      assert.equal(string, debug.getmetatable("").__index)
    end)

    it("comes to an end", function()
      gc.restful() -- millions of instructions, under a hook that takes the place of the one that ends a restless collector
      ends("\nwhile true do end", "^agents.lua:2: it does not come to an end")
      ends("for i = 1, 1e15 do env = i end", "it does not come to an end")
      ends("local function f() return f() end return f()", "it does not come to an end")
      ends("local s = 'x' while true do s = s .. s end", "too much memory")
      ends("local function f() return f() + 1 end\nreturn f()", "stack overflow")
    end)

    it("leaves a hook of the caller's where it was", function()
      gc.restful() -- its hook
      local function hook() end
      local path = write("agents.lua", "return {}")
      local before = debug.gethook() -- none, but under make coverage
      inventory.load(path)
      assert.equal(before, (debug.gethook()))
      debug.sethook(hook, "", 1000000)
      inventory.load(path)
      local kept = debug.gethook()
      debug.sethook()
      assert.equal(hook, kept)
    end)

    it("is text, not bytecode", function()
      ends(string.dump(function() end), "^agents.lua: attempt to load ")
    end)

    it("gives what env gives only for tokens", function()
      ends("\nreturn env", "a list of agents expected")
      ends('return { { name = env "X" } }', "name: a text expected, got table")
      ends("\nreturn { { name = 'a', token = env {} } }", "^agents.lua:2: env takes the name of a variable")
      ends("return { { name = 'a', token = function() end } }", "token: a text expected")
    end)
  end)

  describe("is resolved", function()
    it("for the agents that are asked for, once, and not before", function()
      local count = folder .. "/count"
      local agents = inventory.load(write("agents.lua", ([[return {
        { name = "a", token = command "echo x >>%s; echo %s" },
        { name = "b", token = command "echo x >>%s; exit 1" },
      }]]):format(count, token(1), count)))
      assert.is_nil(io.open(count))
      assert.is_true(inventory.resolve({ agents[1] }, NOW))
      assert.is_true(inventory.resolve({ agents[1] }, NOW))
      assert.equal(token(1), agents[1].token)
      assert.is_nil(agents[2].token)
      assert.equal("x\n", (program.run("cat " .. count)))
    end)

    it("or says all that keeps it from that", function()
      write("empty", " \nx")
      write("two", token(1) .. " " .. token(2))
      local agents = inventory.load(write("agents.lua", ([[return {
        { name = "a" },
        { name = "b", token = "" },
        { name = "c", token =
          env "HANDOFF_NO_SUCH_VARIABLE" },
        { name = "d", token_env = "HANDOFF_NO_SUCH_VARIABLE" },
        { name = "e", token = file "nope" },
        { name = "f", token = file "empty" },
        { name = "g", token = file "two" },
        { name = "h", token = file "/" },
        { name = "i", token = command "echo %s; exit 3" },
        { name = "j", token = command "echo; echo '%s'" },
        { name = "k", token = command "while :; do echo x; done" },
        { name = "l", token = command "handoff-no-such-program 2>/dev/null" },
        { name = "m", token = "Bearer %s" },
        { name = "n", token = env "PATH" },
      }]]):format(token(1), token(1), token(1))))
      assert.same({
        'agents.lua:2: a: no token; give it one: token = env "…", or token_env, token_file, token_command [token]',
        "agents.lua:3: b: the token is empty; put the token there [token]",
        "agents.lua:5: c: the variable HANDOFF_NO_SUCH_VARIABLE is not set; export it [token]",
        "agents.lua:6: d: the variable HANDOFF_NO_SUCH_VARIABLE is not set; export it [token]",
        "agents.lua:7: e: the file nope cannot be read: No such file or directory; check the path and who may read it "
          .. "[token]",
        "agents.lua:8: f: what the file empty holds is empty; put the token there [token]",
        "agents.lua:9: g: what the file two holds has a blank or a character in it that no token has; copy it again "
          .. "from the dashboard [token]",
        "agents.lua:10: h: the file / cannot be read: Is a directory; check the path and who may read it [token]",
        "agents.lua:11: i: the command ended with status 3; run it by itself to see why [token]",
        "agents.lua:12: j: what the command printed is empty; put the token there [token]",
        "agents.lua:13: k: the command printed too much; the first line is to be the token [token]",
        "agents.lua:14: l: the command ended with status 127; run it by itself to see why [token]",
        "agents.lua:15: m: the token begins with the word Bearer; leave that out [token]",
      }, unresolved(agents))
      assert.equal(os.getenv "PATH", agents[14].token)
    end)

    it("or says what a function did instead", function()
      local agents = inventory.load {
        { name = "a", token = function() error(token(1)) end },
        { name = "b", token = function() return { token(1) } end },
        { name = "c", token = function() return "" end },
      }
      assert.same({
        "inventory[1]: a: the function token raised an error; call it by itself to see it [token]",
        "inventory[2]: b: the function token returned a table [token]",
        "inventory[3]: c: what the function token returned is empty; put the token there [token]",
      }, unresolved(agents))
    end)

    it("or says when a token expired", function()
      local agents = inventory.load(write("agents.csv", ("name,token\na,%s\nb,%s\nc,%s\n"):format(
        token(1, ',"exp":1767225601'), token(2, ',"exp":1767225600'), token(3, ',"exp":-1e30'))))
      assert.same({
        "agents.csv:3: b: the token expired 2026-01-01; make a new one in the dashboard [token]",
        "agents.csv:4: c: the token expired 1970-01-01; make a new one in the dashboard [token]",
      }, unresolved(agents))
      assert.is_true(inventory.resolve({ agents[1] }, NOW))
      assert.same(1, #unresolved({ agents[1] }, NOW + 1))
      assert.is_nil((inventory.resolve { agents[2] })) -- by the clock
    end)

    it("or says that two names came to one token", function()
      write("token", token(1))
      local agents = inventory.load { { name = "a", token_file = folder .. "/token" }, { name = "b", token = token(1) },
        { name = "c", token_file = folder .. "/token" } }
      assert.same({
        "inventory[2]: b: its token is that of a too (inventory[1]); give each agent its own [token]",
        "inventory[3]: c: its token is that of a too (inventory[1]); give each agent its own [token]",
      }, unresolved(agents))
      assert.is_true(inventory.resolve({ agents[1], agents[1] }, NOW))
    end)

    it("and names agents that are one by what their tokens say", function()
      local function with(scenario, n) return jwt(('{"scenario_id":%s}'):format(scenario), n) end
      local agents = inventory.load {
        { name = "a", token = with('"x"', "1") }, { name = "b", token = with("7", "2") },
        { name = "c", token = "no-jwt" }, { name = "d", token = with('"x"', "3") },
        { name = "e", token = with('"7"', "4") }, { name = "f", token = "none" },
        { name = "g", token = with('"x"', "5") }, { name = "h", token = with('"x"', "6"), base_url = "http://[::1]/" },
      }
      assert.is_true(inventory.resolve(agents, NOW))
      assert.same({ { names = { "a", "d", "g" }, scenario_id = "x" }, { names = { "b", "e" }, scenario_id = "7" } },
        inventory.duplicates(agents))
    end)

    it("takes agents only", function()
      for _, agents in ipairs { { {} }, { "a" }, { setmetatable({}, { __index = {} }) } } do
        assert.is_false(pcall(inventory.resolve, agents))
      end
    end)
  end)
end)
