-- SPDX-License-Identifier: MIT
--- The history's tables. Times are whole seconds since 1970, UTC.
local schema = {}

-- Tells the file from other programs' databases: the bytes "hndf" as a big-endian number.
schema.application_id = 0x686e6466

--- A list of statements a version: what leads to it from the one before. A version that was released stays as it is.
schema.versions = {
  {
    [[CREATE TABLE runs (
        id INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,              -- "update" or "undo"
        of INTEGER REFERENCES runs,      -- the run that is undone
        edit TEXT,                       -- names the edit
        state TEXT NOT NULL,             -- "running" (or killed: see the locks), "finished" or "stopped"
        started INTEGER NOT NULL,
        ended INTEGER)]],
    [[CREATE TABLE entries (             -- an agent of a run, in the inventory's order
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
        name TEXT NOT NULL,
        key TEXT NOT NULL,               -- who the agent is, whatever it is called
        status TEXT NOT NULL,            -- "pending", "planned", "writing", or how it ended
        error TEXT,
        changes,                         -- a number or a text
        at INTEGER NOT NULL,             -- when the status was set
        UNIQUE (run, name))]],
    [[CREATE TABLE documents (           -- apart from the entries, so that a new status does not write them again
        entry INTEGER PRIMARY KEY REFERENCES entries ON DELETE CASCADE,
        before TEXT NOT NULL,
        meant TEXT NOT NULL)]],
    [[CREATE TABLE answers (
        entry INTEGER PRIMARY KEY REFERENCES documents ON DELETE CASCADE,
        after TEXT)                      -- NULL: what was meant]],
  },
}

return schema
