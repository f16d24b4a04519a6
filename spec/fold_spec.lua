-- SPDX-License-Identifier: MIT
local fold = require "handoff.fold"
local handoff = require "handoff"
local seed = require "handoff.sandbox.seed"

local NARROW_BLANK, NBSP, SOFT, ACUTE, GRAVE = "\226\128\175", "\194\160", "\194\173", "\204\129", "\204\128"

-- By keyword: messages that have it, and messages that do not.
local rows = {
  -- each language of the sandbox, as its visitors type
  { "speak to human",
    { "Can I SPEAK   to human, please?", "speak to human", "“Speak to human!”", "I\nwant to speak\nto human" },
    { "speak to humans", "speak to a human", "bespeak to human", "speak-to-human" } },
  { "agent", { "Agent!!", "an agent’s job", "agent/person", "(agent)", "AGENT", "ａｇｅｎｔ", "ag" .. SOFT .. "ent",
    "agent🙂" },
    { "agents", "reagent", "agen", "a gent", "agent2", "agent" .. ACUTE } },
  { "Rückruf", { "RÜCKRUF bitte", "bitte um einen Ru\204\136ckruf." }, { "Ruckruf", "Rückrufe", "Rückrufservice" } },
  { "Größe", { "GRÖSSE?", "die größe" }, { "Grosse" } },
  { "parler à un humain", { "Je veux parler à un humain" .. NARROW_BLANK .. "!", "PARLER" .. NBSP .. "À UN HUMAIN",
    "parler a" .. GRAVE .. " un humain" }, { "parler a un humain", "parler à un humaine" } },
  { "être rappelé", { "J’aimerais être rappele" .. ACUTE, "ÊTRE RAPPELÉ" }, { "être rappelée" } },
  { "conseiller", { "passez-moi l’conseiller", "un conseiller" .. NARROW_BLANK .. "?" },
    { "conseillère", "conseillers" } },
  { "j'ai besoin d'aide", { "J’ai besoin d’aide.", "j´ai besoin d`aide", "j‘ai besoin dʼaide" },
    { "jai besoin daide" } },
  { "połącz z człowiekiem", { "POŁĄCZ Z CZŁOWIEKIEM", "proszę, poła\204\168cz z człowiekiem" },
    { "polacz z czlowiekiem" } },
  { "atención al cliente", { "¿Atención al cliente?", "ATENCIO" .. ACUTE .. "N AL CLIENTE" },
    { "atencion al cliente" } },
  { "representative", { "REPRESENTATIVE", "a representative, now" }, { "representatives" } },
  { "não entendi", { "Não entendi…", "NA\204\131O ENTENDI" }, { "nao entendi" } },
  { "オペレーター", { "オペレーターにつないで", "ｵﾍﾟﾚｰﾀｰお願いします", "すみません、オペレーター" }, { "オペレータ" } },
  { "担当者と話したい", { "今すぐ担当者と話したいです" }, { "担当者に話したい" } },
  -- other scripts
  { "agent", { "agentと話したい", "お願いagent" }, {} },
  { "상담원", { "상담원과 통화하고 싶어요" }, {} },
  { "เจ้าหน้าที่", { "ขอคุยกับเจ้าหน้าที่หน่อย" }, {} },
  { "คน", { "คุยกับคนจริง" }, { "คนี" } },
  { "оператор", { "ОПЕРАТОР!" }, { "операторы" } },
  { "insan", { "İNSAN istiyorum", "ınsan" }, { "insanlar" } },
  { "σας", { "ΣΑΣ" }, {} },
  { "موظف", { "أريد موظف الآن" }, { "الموظف" } },
  -- what is no word
  { "🙋", { "hi🙋‍♀️!", "🙋" }, { "🙂" } },
  { "C++", { "my c++ code" }, { "c", "c+ +", "abc++" } },
  { "?", { "really?" }, { "no" } },
  { "24/7", { "are you there 24/7?" }, { "124/7", "24/70" } },
  { "e-mail", { "by e–mail", "E‑MAIL" }, { "e mail", "email" } },
  { "  agent ", { "agent" }, {} },
  { "", {}, { "", "anything" } },
  { " \n" .. NBSP, {}, { "any thing" } },
}

describe("a phrase in a typed text", function()
  for _, row in ipairs(rows) do
    it(("%q"):format(row[1]), function()
      for _, text in ipairs(row[2]) do assert.is_true(fold.contains(text, row[1]), text) end
      for _, text in ipairs(row[3]) do assert.is_false(fold.contains(text, row[1]), text) end
    end)
  end

  it("is each keyword of the sandbox's, within a sentence and shouted, and none is within a longer word", function()
    for place = 1, 8 do
      for _, keyword in ipairs(seed.document(1, place, handoff.json.decode).settings.keywords) do
        assert.is_true(fold.contains(("… %s!"):format(keyword), keyword), keyword)
        assert.is_true(fold.contains(keyword:upper(), keyword), keyword)
        assert.equal(place == 8, fold.contains(("x%sx"):format(keyword), keyword), keyword) -- japanese
      end
    end
  end)

  it("is looked for in anything that is text, and in nothing else", function()
    assert.is_true(fold.contains("\255\0 agent\192", "agent"))
    assert.is_false(fold.contains("agent", "\0"))
    for _, wrong in ipairs { 5, {}, false } do
      assert.has_error(function() fold.contains(wrong, "agent") end)
      assert.has_error(function() fold.contains("agent", wrong) end)
    end
    assert.has_error(function() fold.contains(("x"):rep(2 ^ 16 + 1), "x") end)
    assert.is_false(fold.contains(("a"):rep(2 ^ 16), "aa"))
    assert.is_false(fold.contains("x", ("x"):rep(2 ^ 24))) -- a keyword of the service, which is none that may be typed
  end)
end)
