-- SPDX-License-Identifier: MIT
--- What a sandbox starts with: agents, their tokens and their documents. All of it follows from a seed and an agent's place in
-- the list, on every VM alike, so that nothing needs to be made before it is asked for.
local floor, char, concat = math.floor, string.char, table.concat

local seed = {}

--- A generator of our own, since math.random differs from VM to VM: Park and Miller's, in numbers that a double holds.
-- @return a function: `(n)` → 1 to n; `(n, m)` → n to m
local function generator(number, place)
  local state = (number * 7919 + place * 104729) % 2147483646 + 1
  local function draw(n, m)
    state = state * 48271 % 2147483647
    if m then return n + state % (m - n + 1) end
    return 1 + state % n
  end
  for _ = 1, 4 do draw(1) end
  return draw
end

-- A locale a row. The first row has the emoji.
local locales = {
  {
    code = "uk", region = "eu", zone = "Europe/London", brand = "Brightwell",
    keywords = { "speak to human", "agent", "real person" },
    question = "Would you like me to connect you with one of our team? 👋",
    confirmation = "Thanks – somebody will be with you in a moment.",
    outside = "We're away right now. Leave us your e-mail address and we'll reply on the next working day.",
    guidelines = {
      { "Refund over 500", "The visitor asks for a refund above 500 GBP, or disputes a charge." },
      { "Wants to cancel", "The visitor wants to cancel a contract or an order that has already shipped." },
    },
    topics = { { "Billing", "Invoices, payments, refunds and VAT." },
      { "Technical Support", "Something does not work." } },
  },
  {
    code = "de", region = "eu", zone = "Europe/Berlin", brand = "Grünwald",
    keywords = { "mit einem Menschen sprechen", "Mitarbeiter", "Rückruf" },
    question = "Möchten Sie mit einer Kollegin oder einem Kollegen sprechen?",
    confirmation = "Danke! Wir verbinden Sie – das dauert nur einen Augenblick.",
    outside = "Außerhalb unserer Öffnungszeiten antworten wir Ihnen gern per E-Mail.",
    guidelines = {
      { "Rückerstattung über 500 €", "Die Kundin oder der Kunde möchte mehr als 500 Euro zurückerstattet bekommen." },
      { "Kündigung", "Jemand möchte einen laufenden Vertrag kündigen oder widerrufen." },
    },
    topics = { { "Rechnungen", "Fragen zu Rechnung, Mahnung und Überweisung." },
      { "Größenberatung", "Welche Größe passt, Umtausch in eine andere Größe." } },
  },
  {
    code = "fr", region = "eu", zone = "Europe/Paris", brand = "Chênevert",
    keywords = { "parler à un humain", "conseiller", "être rappelé" },
    question = "Souhaitez-vous être mis en relation avec un conseiller ?",
    confirmation = "Merci ! Un conseiller arrive dès que possible, d’ici à quelques minutes.",
    outside = "Nos équipes sont absentes. Écrivez-nous, nous vous répondrons dès l’ouverture.",
    guidelines = {
      { "Remboursement élevé", "Le visiteur réclame un remboursement supérieur à 500 €." },
      { "Résiliation", "Le visiteur souhaite résilier son abonnement ou a été débité à tort." },
    },
    topics = { { "Facturation", "Factures, prélèvements, avoirs, TVA." },
      { "Livraison", "Colis égaré, abîmé ou en retard." } },
  },
  {
    code = "pl", region = "eu", zone = "Europe/Warsaw", brand = "Żółwik",
    keywords = { "połącz z człowiekiem", "konsultant", "chcę porozmawiać" },
    question = "Czy chcesz, żebym połączył Cię z konsultantem?",
    confirmation = "Dziękujemy! Konsultant odezwie się za chwilę.",
    outside = "Jesteśmy poza godzinami pracy. Zostaw wiadomość, odpiszemy następnego dnia roboczego.",
    guidelines = {
      { "Zwrot powyżej 2000 zł", "Klient żąda zwrotu kwoty wyższej niż 2000 złotych." },
      { "Rezygnacja z usług", "Klient grozi odejściem albo chce rozwiązać umowę." },
    },
    topics = { { "Płatności", "Faktury, przelewy, błędne obciążenia." },
      { "Wysyłka", "Przesyłka zaginęła lub się spóźnia." } },
  },
  {
    code = "es", region = "eu", zone = "Europe/Madrid", brand = "Peñalara",
    keywords = { "hablar con una persona", "agente", "atención al cliente" },
    question = "¿Quieres que te pase con una persona de nuestro equipo?",
    confirmation = "¡Gracias! Enseguida te atiende un compañero.",
    outside = "Ahora mismo no hay nadie. Déjanos tu correo y te contestaremos mañana.",
    guidelines = {
      { "Reembolso superior a 500 €", "La persona pide que se le devuelvan más de 500 euros." },
      { "Reclamación", "La persona quiere poner una reclamación o menciona la hoja de reclamaciones." },
    },
    topics = { { "Facturación", "Facturas, cobros duplicados, devoluciones." },
      { "Envíos", "Dónde está el paquete, cambios de dirección." } },
  },
  {
    code = "us", region = "us", zone = "America/New_York", brand = "Larkfield",
    keywords = { "talk to a human", "representative", "operator" },
    question = "Do you want to talk to one of our people?",
    confirmation = "Great, hang on while we find somebody for you.",
    outside = "Our team is off the clock. We'll get back to you by e-mail.",
    guidelines = {
      { "Refund over $500", "The customer asks for a refund of more than 500 dollars." },
      { "Legal", "The customer mentions a lawyer, a lawsuit or the Better Business Bureau." },
    },
    topics = { { "Billing", "Charges, refunds, sales tax." },
      { "Returns", "Sending something back, labels, RMA numbers." } },
  },
  {
    code = "br", region = "latam", zone = "America/Sao_Paulo", brand = "Ipê Azul",
    keywords = { "falar com atendente", "humano", "não entendi" },
    question = "Posso transferir você para um de nossos atendentes?",
    confirmation = "Obrigado! Já já alguém fala com você.",
    outside = "Estamos fora do horário de atendimento. Deixe uma mensagem que retornaremos amanhã.",
    guidelines = {
      { "Estorno acima de R$ 2.500", "A pessoa pede um estorno acima de 2.500 reais." },
      { "Cancelamento", "A pessoa quer cancelar a assinatura ou menciona o Procon." },
    },
    topics = { { "Cobrança", "Boleto, cartão, nota fiscal." }, { "Entrega", "Atraso, extravio, endereço errado." } },
  },
  {
    code = "jp", region = "apac", zone = "Asia/Tokyo", brand = "ひばり商店",
    keywords = { "担当者と話したい", "オペレーター" },
    question = "担当者におつなぎしましょうか？",
    confirmation = "ありがとうございます。担当者が参りますので、少々お待ちください。",
    outside = "ただいま営業時間外です。翌営業日にメールでご連絡いたします。",
    guidelines = {
      { "高額の返金", "五万円を超える返金を求めている。" },
      { "解約の希望", "契約の解約を希望している。" },
    },
    topics = { { "お支払い", "請求書、領収書、返金について。" }, { "配送", "配達の遅れ、住所の変更。" } },
  },
}

local kinds = { "shop", "support", "booking", "sales", "helpdesk", "billing", "clinic", "travel", "bank", "campus" }
local tiers = { "gold", "silver", "silver", "free", "free", "free" }

local generic_guidelines = {
  { "user_frustration", "The visitor is upset, repeats the question or complains about the answers." },
  { "customer_support_suggestion", "The answer would tell the visitor to get in touch with customer support." },
  { "lack_of_knowledge", "The knowledge base has nothing on what the visitor asks." },
  { "irrelevant_advice", "The visitor says that the advice does not fit the question." },
  { "media_message", "The visitor sends a picture, a recording or a file." },
}

local weeks = {
  { { "monday-friday", "09:00", "17:30" } },
  { { "monday-thursday", "08:30", "18:00" }, { "friday", "08:30", "15:00" }, { "saturday", "10:00", "14:00" } },
  { { "monday-friday", "00:00", "23:59" }, { "saturday-sunday", "09:00", "21:00" } },
  { { "saturday-monday", "10:00", "19:00" }, { "wednesday", "12:00", "20:00" } },
}

--- The ids of one agent are a block of their own, so that they do not depend on which agent was asked for first.
local block, first_id, big = 32, 4096, "90071992547409"

--- The first id that no seeded document has.
function seed.free_id(agents)
  return first_id + block * agents
end

local function describe(place)
  local locale = locales[(place - 1) % #locales + 1]
  local kind = kinds[floor((place - 1) / #locales) % #kinds + 1]
  local turn = floor((place - 1) / (#locales * #kinds)) + 1
  return locale, turn == 1 and kind .. "-" .. locale.code or ("%s-%s-%d"):format(kind, locale.code, turn)
end

--- The ids of the third agent lie beyond 2^53, where a reader that keeps numbers as doubles changes them.
local function id_maker(place, decode)
  local next_id = first_id + (place - 1) * block
  return function()
    next_id = next_id + 1
    if place ~= 3 then return next_id end
    return decode(big .. ("%02d"):format(93 + next_id % block))
  end
end

local function guidelines_of(locale, draw, id)
  local list = {}
  for i, row in ipairs(locale.guidelines) do
    list[i] = { id = id(), name = row[1], description = row[2], is_active = draw(3) > 1 }
  end
  return list
end

local function profiles_of(locale, draw, id)
  local list = {}
  for i, row in ipairs(locale.topics) do
    local first = draw(300, 380)
    list[i] = { id = id(), name = row[1], description = row[2], is_active = draw(3) == 1 }
    list[i].user_ids = { first, first + draw(9) }
  end
  return list
end

local function slots_of(draw, id)
  local list = {}
  for i, row in ipairs(weeks[draw(#weeks)]) do
    list[i] = { id = id(), day_span = row[1], start_time = row[2], end_time = row[3] }
  end
  return list
end

local function generics_of(draw)
  local list = {}
  for i, row in ipairs(generic_guidelines) do
    list[i] = { name = row[1], description = row[2], is_active = draw(2) == 1 }
  end
  return list
end

local function settings_of(locale, draw, name)
  local keywords = {}
  for i, keyword in ipairs(locale.keywords) do keywords[i] = keyword end
  return {
    is_active = draw(4) > 1,
    keywords = keywords,
    ai_summary_active = draw(2) == 1,
    question_message = locale.question,
    confirmation_message = locale.confirmation .. " – " .. locale.brand,
    confirmation_outside_working_hours_message = locale.outside,
    working_hours_active = draw(3) == 1,
    timezone = locale.zone,
    send_email_notification = draw(2) == 1,
    emails = { "desk@" .. name .. ".example", "lead@" .. name .. ".example" },
  }
end

--- The document of the agent at that place, as fresh plain tables; the server derives what it derives.
-- Every second agent, the first among them, has a part that no documentation knows.
-- @param decode JSON text → value, for what plain tables cannot say
function seed.document(number, place, decode)
  local draw = generator(number, place)
  local locale, name = describe(place)
  local id = id_maker(place, decode)
  local document = {
    settings = settings_of(locale, draw, name),
    availability = slots_of(draw, id),
    generic_guidelines = generics_of(draw),
    custom_guidelines = guidelines_of(locale, draw, id),
    routing_profiles = profiles_of(locale, draw, id),
  }
  if place % 2 == 1 then
    document.service_level = decode '{"labels": {}, "targets": [], "threshold": 0.30000000000000004, "owner": null}'
  end
  return document
end

local alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

local function digit(n)
  return alphabet:sub(n + 1, n + 1)
end

--- base64url without padding, RFC 4648; written without bit operators, which LuaJIT does not have.
local function base64url(text)
  local out = {}
  for i = 1, #text, 3 do
    local a, b, c = text:byte(i, i + 2)
    local n = a * 65536 + (b or 0) * 256 + (c or 0)
    out[#out + 1] = digit(floor(n / 262144)) .. digit(floor(n / 4096) % 64)
      .. (b and digit(floor(n / 64) % 64) or "") .. (c and digit(n % 64) or "")
  end
  return concat(out)
end

local year = 52 * 7 * 24 * 3600
local header = base64url '{"alg":"HS256","typ":"JWT"}'

--- A JWT as far as its form goes; the signature is noise, since nobody here could check it.
local function token(draw, scope, issued)
  local scenario, noise = {}, {}
  for i = 1, 10 do scenario[i] = char(draw(97, 122)) end
  for i = 1, 32 do noise[i] = char(draw(0, 255)) end
  local claims = '{"scenario_id":"%s","scope":"%s","iat":%d,"exp":%d}'
  claims = claims:format(concat(scenario), scope, issued, issued + year)
  return concat({ header, base64url(claims), base64url(concat(noise)) }, ".")
end

--- The agent at that place of the list.
-- @param scope the token's, `read_all` or `write_all`
-- @param issued when the token was, in seconds since 1970
-- @return { name=, token=, tags={ region=, tier= } }
function seed.agent(number, place, scope, issued)
  local locale, name = describe(place)
  local draw = generator(number + 1000003, place)
  return {
    name = name,
    tags = { region = locale.region, tier = tiers[draw(#tiers)] },
    token = token(draw, scope, issued),
  }
end

return seed
