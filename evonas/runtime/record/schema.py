"""The record's tables. JSON columns hold strict JSON.

Times are seconds since 1970 (UTC). In a simulated pool, the times of attempts are those of its
virtual clock, which begins at 0. Times are for people: nothing is computed of them, but where a
simulation goes on. What sessions have worked stands in `meta` under `worked`, measured by the clock
of the budget.

A change of a table, or of what its JSON means, raises the version. It adds a step from the last
version to `migrations.py`.
"""

VERSION = 5

EXPECTED = """
create table expected (
  trial integer primary key references trial (id), -- one that a surrogate has chosen
  median real not null,                    -- values of the objective, as `Expected` has them
  low real not null,
  high real not null
) strict"""

# SQLite keeps these statements in the record with their comments. A backslash continues a line
# that is too long for this file, without a change to the text.
_TABLES = """
create table meta (
  key text primary key,
  value text not null                      -- JSON; under `checksum`, the sum over \
all other rows of all tables
) strict;
create table trial (
  id integer primary key,                  -- from 0, in the order of proposals
  genome text not null,                    -- Genome.to_dict()
  digest text not null,
  epochs integer not null,                 -- fidelity
  repeat integer not null,
  operator text not null,
  parents text not null,                   -- ids, the main parent first
  generation integer not null,
  resume_from integer references trial (id),
  twin_of integer references trial (id),
  state text not null,
  value real,                              -- of the objective; null unless ok
  metrics text not null,
  told integer not null,                   -- 0, or the place among the told, from 1
  told_before integer not null             -- how many were told when this one was asked
) strict;
create table attempt (
  trial integer not null references trial (id),
  number integer not null,                 -- from 0
  session integer not null,                -- which opening of the run started it
  state text not null,                     -- 'running' until an outcome arrives; \
'abandoned' if none ever will
  started real not null,
  ended real,
  epochs integer not null default 0,
  seconds real,
  history text not null default '{}',      -- metric -> one value an epoch (null where not finite)
  message text not null default '',
  details text not null default '{}',
  primary key (trial, number)
) strict;
create table file (
  path text primary key,                   -- relative to the run directory, with forward slashes
  sha256 text not null,
  trial integer references trial (id)
) strict;
create table event (
  id integer primary key,
  at real not null,
  kind text not null,
  detail text not null
) strict;
"""

SCHEMA = f"{_TABLES}{EXPECTED};\n"
