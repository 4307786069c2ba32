// The tables of the Metadata Service: numbered migrations in both dialects, the stored schema version, and the minimum version of a reader. It is one thing: a history.
import { type Body, type Call, read } from './sql.ts'
import { type Nothing, statement } from './statement.ts'

/** The version that this code writes. Raise it with every migration. */
export const schemaVersion = 22
/**
 * The oldest version that can read the tables of this code. Raise it only with a migration that older code must not touch. 18: producers begin transactions, and an older
 * agent would send open ones to consumers of committed records.
 */
export const minimumReaderVersion = 18

export type SchemaState =
  | { readonly kind: 'ready'; readonly version: number }
  | { readonly kind: 'newer'; readonly version: number; readonly minimumReader: number }

/** Creates or upgrades the tables once, whichever agent starts first. A database written by incompatible newer code is left alone. */
export function migrate(_input: Record<never, never>): Body<SchemaState> {
  return migrateBy({ migrations, minimumReader: minimumReaderVersion })
}

/** For `migrate`, and for tests of migrations that do not exist yet. */
export function* migrateBy({
  migrations: all,
  minimumReader,
}: {
  readonly migrations: readonly (readonly Call[])[]
  readonly minimumReader: number
}): Body<SchemaState> {
  const version = all.length
  const [, [known]] = yield* read(lockSchema(), knowsSchema())
  // Only the first start creates the schema: later starts must not need the right to.
  if (known?.known !== 1) yield* read(makeSchema(), makeVersionTable())
  const [[stored]] = yield* read(readVersion())
  if (stored !== undefined && stored.minimumReader > version)
    return { writes: [], value: { kind: 'newer', version: stored.version, minimumReader: stored.minimumReader } }
  const from = stored?.version ?? 0
  if (from >= version) return { writes: [], value: { kind: 'ready', version: from } }
  yield* read(boundMigrationLocks())
  return {
    writes: [...all.slice(from).flat(), writeVersion({ version, minimumReader })],
    value: { kind: 'ready', version },
  }
}

/**
 * A migration that waits for its lock on a table holds up every later transaction on that table, those of the agents that still run the older version too.
 * So it gives up soon, and its start tries again.
 */
const boundMigrationLocks = statement('bound the locks of a migration', {
  // SQLite's transactions are serial.
  postgres: `SELECT set_config('lock_timeout', '300ms', true)`,
  sqlite: 'SELECT 1',
})

/** Serializes the creation of tables and clusters, which have no row to lock yet. The number is arbitrary, and ours. */
export const lockSchema = statement('lock schema', {
  // SQLite's transactions are serial: there is nothing to lock.
  postgres: 'SELECT 1 FROM pg_advisory_xact_lock(7020931466)',
  sqlite: 'SELECT 1',
})

const knowsSchema = statement<Nothing, { readonly known: number }>('knows schema', {
  // The dialects have different catalogues.
  postgres: `SELECT (to_regclass('lks.schema_version') IS NOT NULL)::int AS known`,
  sqlite: `SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_version') AS known`,
})
// SQLite has no schemas.
const makeSchema = statement('make schema', { postgres: 'CREATE SCHEMA IF NOT EXISTS lks', sqlite: 'SELECT 1' })
const makeVersionTable = statement(
  'make schema_version',
  'CREATE TABLE IF NOT EXISTS schema_version (one integer PRIMARY KEY, version integer NOT NULL, minimum_reader integer NOT NULL)',
)
const readVersion = statement<Nothing, { readonly version: number; readonly minimumReader: number }>(
  'read schema version',
  'SELECT version, minimum_reader AS "minimumReader" FROM schema_version',
)
const writeVersion = statement<{ readonly version: number; readonly minimumReader: number }>(
  'write schema version',
  `INSERT INTO schema_version (one, version, minimum_reader) VALUES (1, $version, $minimumReader)
    ON CONFLICT (one) DO UPDATE SET version = excluded.version, minimum_reader = excluded.minimum_reader`,
)

/** Index n holds the statements that lead from version n to n + 1. A migration that has shipped is never edited. */
export const migrations: readonly (readonly Call[])[] = [
  [
    // The counters of a cluster, allocated under this row's lock. Every other key begins with `cluster`.
    table('clusters', 'rows that change', [
      'cluster integer NOT NULL PRIMARY KEY',
      'cluster_id text NOT NULL UNIQUE',
      'slots integer NOT NULL',
      'slots_version bigint NOT NULL',
      'next_incarnation bigint NOT NULL',
      'next_log bigint NOT NULL',
      'next_producer_id bigint NOT NULL',
      'next_broker_id integer NOT NULL',
      'created_at_ms bigint NOT NULL',
    ]),
    // One incarnation of an agent. Hot: `last_sequence` changes with every commit.
    table('incarnations', 'rows that change', [
      'cluster integer NOT NULL',
      'incarnation bigint NOT NULL',
      'nonce text NOT NULL',
      'agent text NOT NULL',
      'state text NOT NULL', // 'active' or 'fenced'; fenced is final
      'last_sequence bigint NOT NULL',
      'created_at_ms bigint NOT NULL',
      'PRIMARY KEY (cluster, incarnation)',
    ]),
    index('CREATE UNIQUE INDEX incarnations_by_nonce ON incarnations (cluster, nonce)'),
    index('CREATE INDEX incarnations_by_agent ON incarnations (cluster, agent)'),
    // The answer of each chain's last commit: only that one can be replayed.
    table('results', 'large rows', [
      'cluster integer NOT NULL',
      'incarnation bigint NOT NULL',
      'sequence bigint NOT NULL',
      'result text NOT NULL', // JSON of a CommitResult
      'PRIMARY KEY (cluster, incarnation)',
    ]),
    // An agent's name, its permanent broker id, and the lease of its newest incarnation.
    table('agents', 'rows that change', [
      'cluster integer NOT NULL',
      'agent text NOT NULL',
      'broker_id integer NOT NULL',
      'incarnation bigint NOT NULL',
      'host text NOT NULL',
      'port integer NOT NULL',
      'beats bigint NOT NULL',
      'PRIMARY KEY (cluster, agent)',
    ]),
    table('slots', 'rows', [
      'cluster integer NOT NULL',
      'slot integer NOT NULL',
      'owner bigint',
      'epoch integer NOT NULL',
      'PRIMARY KEY (cluster, slot)',
    ]),
    // A deleted topic keeps its row until its logs are purged.
    table('topics', 'rows', [
      'cluster integer NOT NULL',
      'topic_id text NOT NULL',
      'name text NOT NULL',
      'folded_name text NOT NULL', // the name with . as _: it must not collide
      'partitions integer NOT NULL',
      'configs text NOT NULL', // JSON of a Record<string, string>
      'created_at_ms bigint NOT NULL',
      'deleted_at_ms bigint',
      'PRIMARY KEY (cluster, topic_id)',
    ]),
    index('CREATE UNIQUE INDEX topics_by_name ON topics (cluster, folded_name) WHERE deleted_at_ms IS NULL'),
    // Hot: every commit advances the end of its partitions.
    table('partitions', 'rows that change', [
      'cluster integer NOT NULL',
      'topic_id text NOT NULL',
      'partition integer NOT NULL',
      'log bigint NOT NULL',
      'log_start_offset bigint NOT NULL',
      'next_offset bigint NOT NULL',
      'max_timestamp bigint NOT NULL',
      'created_at_ms bigint NOT NULL',
      'PRIMARY KEY (cluster, topic_id, partition)',
    ]),
    table('objects', 'rows', [
      'cluster integer NOT NULL',
      'incarnation bigint NOT NULL',
      'sequence bigint NOT NULL',
      'size_bytes bigint NOT NULL',
      'checksum bigint NOT NULL',
      'created_at_ms bigint NOT NULL',
      'PRIMARY KEY (cluster, incarnation, sequence)',
    ]),
    // `running_max_timestamp` is the largest timestamp of the log up to and including this segment. It never falls, so a search by time is binary.
    table('segments', 'rows', [
      'cluster integer NOT NULL',
      'log bigint NOT NULL',
      'last_offset bigint NOT NULL',
      'base_offset bigint NOT NULL',
      'incarnation bigint NOT NULL',
      'sequence bigint NOT NULL',
      'byte_start bigint NOT NULL',
      'size_bytes bigint NOT NULL',
      'max_timestamp bigint NOT NULL',
      'running_max_timestamp bigint NOT NULL',
      'PRIMARY KEY (cluster, log, last_offset)',
    ]),
    table('producers', 'rows that change', [
      'cluster integer NOT NULL',
      'log bigint NOT NULL',
      'producer_id bigint NOT NULL',
      'epoch integer NOT NULL',
      'batches text NOT NULL', // JSON of the last five, oldest first
      'last_seen_ms bigint NOT NULL',
      'PRIMARY KEY (cluster, log, producer_id)',
    ]),
    // The times at which producer ids were allocated. Migration 3 adds `next_log`.
    table('producer_id_blocks', 'rows', [
      'cluster integer NOT NULL',
      'first bigint NOT NULL',
      'count bigint NOT NULL',
      'allocated_at_ms bigint NOT NULL',
      'PRIMARY KEY (cluster, first)',
    ]),
    // `base_offset` is null only inside the transaction that claims the key.
    table('idempotency_keys', 'rows', [
      'cluster integer NOT NULL',
      'key text NOT NULL',
      'body_hash text NOT NULL',
      'topic_id text NOT NULL',
      'partition integer NOT NULL',
      'base_offset bigint',
      'timestamp bigint NOT NULL',
      'created_at_ms bigint NOT NULL',
      'PRIMARY KEY (cluster, key)',
    ]),
  ],
  [
    // The coordinator that may save a group's steps. Hot: `version` changes with each step.
    table('groups', 'rows that change', [
      'cluster integer NOT NULL',
      'group_id text NOT NULL',
      'epoch text NOT NULL', // drawn by the coordinator that opened it last
      'version bigint NOT NULL',
      'kind text NOT NULL',
      'protocol_type text',
      'state text NOT NULL',
      'changed_at_ms bigint NOT NULL', // of `state`
      'PRIMARY KEY (cluster, group_id)',
    ]),
    // The last change of each key of a group's machine.
    table('group_journal', 'large rows', [
      'cluster integer NOT NULL',
      'group_id text NOT NULL',
      'key text NOT NULL',
      'value text NOT NULL',
      'PRIMARY KEY (cluster, group_id, key)',
    ]),
    table('group_offsets', 'rows that change', [
      'cluster integer NOT NULL',
      'group_id text NOT NULL',
      'topic_id text NOT NULL',
      'partition integer NOT NULL',
      'committed_offset bigint NOT NULL',
      'leader_epoch integer NOT NULL',
      'metadata text NOT NULL',
      'committed_at_ms bigint NOT NULL',
      'PRIMARY KEY (cluster, group_id, topic_id, partition)',
    ]),
    index('CREATE INDEX group_offsets_by_topic ON group_offsets (cluster, topic_id)'),
  ],
  [
    // The cluster's `next_log` when the ids were allocated: logs with a smaller number are older than the ids. 0 for blocks of earlier versions: no log is older.
    addColumn('producer_id_blocks', 'next_log bigint NOT NULL DEFAULT 0'),
  ],
  [
    // Set by a commit with its own retention (OffsetCommit 2 to 4). Null: offsets.retention.minutes counts. Older code may leave it out.
    addColumn('group_offsets', 'expires_at_ms bigint'),
  ],
  [
    // The machine on which an agent runs, shown to people when its lease is held. Null: an older version registered it.
    addColumn('agents', 'machine text'),
  ],
  [
    // The configs of resources other than topics. A resource without configs has no row.
    table('resource_configs', 'rows', [
      'cluster integer NOT NULL',
      'kind text NOT NULL', // 'client metrics', 'broker'
      'name text NOT NULL',
      'configs text NOT NULL', // JSON of a Record<string, string>
      'PRIMARY KEY (cluster, kind, name)',
    ]),
  ],
  [
    // Damaged offsets that a person told us to pass over. Their segment has no bytes (`size_bytes` = 0), so older code answers an error there, as before.
    table('skipped_ranges', 'rows', [
      'cluster integer NOT NULL',
      'log bigint NOT NULL',
      'last_offset bigint NOT NULL',
      'base_offset bigint NOT NULL',
      'incarnation bigint NOT NULL', // the object of the segment, and its bytes there
      'sequence bigint NOT NULL',
      'byte_start bigint NOT NULL',
      'size_bytes bigint NOT NULL',
      'reason text NOT NULL',
      'skipped_at_ms bigint NOT NULL',
      'PRIMARY KEY (cluster, log, last_offset)',
    ]),
    // The last object that the scrubber has read, by its key. -1: none in this pass.
    table('scrubs', 'rows that change', [
      'cluster integer NOT NULL PRIMARY KEY',
      'after_incarnation bigint NOT NULL',
      'after_sequence bigint NOT NULL',
      'complete integer NOT NULL', // 1 or 0
      'begun_at_ms bigint NOT NULL',
      'damaged text NOT NULL', // JSON of the ObjectIds that were found damaged
    ]),
  ],
  [
    // How far log compaction has come in a log. Logs that were never compacted have no row.
    table('compactions', 'rows that change', [
      'cluster integer NOT NULL',
      'log bigint NOT NULL',
      'cleaned_offset bigint NOT NULL',
      'PRIMARY KEY (cluster, log)',
    ]),
    // The last time at which a swap replaced segments in the object. Readers that found them may still read it for a while after that. Null: never.
    addColumn('objects', 'released_at_ms bigint'),
  ],
  [
    // Until this version no records were removed, so the default of retention.ms must not begin to remove those of older topics.
    keepRecords(),
  ],
  [
    // The objects that the sweep has to look at.
    index('CREATE INDEX objects_released ON objects (cluster, incarnation, sequence) WHERE released_at_ms IS NOT NULL'),
  ],
  [
    // From then on the topic cannot be brought back. Null: its purge has not begun.
    addColumn('topics', 'purge_began_at_ms bigint'),
    index('CREATE INDEX topics_deleted ON topics (cluster, deleted_at_ms) WHERE deleted_at_ms IS NOT NULL'),
  ],
  [
    // How far the segments of a log are merged, once and twice. Logs that were never merged have no row.
    table('merges', 'rows that change', [
      'cluster integer NOT NULL',
      'log bigint NOT NULL',
      'once_offset bigint NOT NULL',
      'twice_offset bigint NOT NULL',
      'waiting_bytes bigint NOT NULL', // of the segments between the two offsets, about
      'waiting_segments bigint NOT NULL',
      'PRIMARY KEY (cluster, log)',
    ]),
  ],
  [
    // A transactional id: its producer, and the state of its newest transaction (docs/specs/transactions.md). Hot: every transaction changes it twice.
    table('transactional_ids', 'rows that change', [
      'cluster integer NOT NULL',
      'transactional_id text NOT NULL',
      'producer_id bigint NOT NULL',
      'producer_epoch integer NOT NULL',
      'state text NOT NULL', // a TransactionState
      'last_producer_id bigint NOT NULL',
      'last_producer_epoch integer NOT NULL',
      'timeout_ms integer NOT NULL',
      'transaction_number bigint NOT NULL',
      'began_at_ms bigint NOT NULL', // of the transaction that is open, or was the last
      'changed_at_ms bigint NOT NULL',
      'PRIMARY KEY (cluster, transactional_id)',
    ]),
    // The partitions of open transactions.
    table('transaction_partitions', 'rows', [
      'cluster integer NOT NULL',
      'transactional_id text NOT NULL',
      'topic_id text NOT NULL',
      'partition integer NOT NULL',
      'PRIMARY KEY (cluster, transactional_id, topic_id, partition)',
    ]),
    // What an aborted transaction left in a log, from its first offset to its marker.
    table('aborted_transactions', 'rows', [
      'cluster integer NOT NULL',
      'log bigint NOT NULL',
      'marker_offset bigint NOT NULL',
      'first_offset bigint NOT NULL',
      'producer_id bigint NOT NULL',
      'last_stable_offset bigint NOT NULL', // after the marker
      'PRIMARY KEY (cluster, log, marker_offset)',
    ]),
    // The first offset of the producer's open transaction in the log. Null: none is open.
    addColumn('producers', 'transaction_first_offset bigint'),
    index(
      'CREATE INDEX producers_in_transactions ON producers (cluster, log, transaction_first_offset) WHERE transaction_first_offset IS NOT NULL',
    ),
    // The smallest of them in the log. Null: no transaction is open there.
    addColumn('partitions', 'first_unstable_offset bigint'),
    // JSON of a Marker. Set in a segment without bytes that ends a transaction.
    addColumn('segments', 'marker text'),
  ],
  [
    // Null: it is active, or an earlier version has fenced it.
    addColumn('incarnations', 'fenced_at_ms bigint'),
  ],
  [
    // The groups of open transactions.
    table('transaction_groups', 'rows', [
      'cluster integer NOT NULL',
      'transactional_id text NOT NULL',
      'group_id text NOT NULL',
      'PRIMARY KEY (cluster, transactional_id, group_id)',
    ]),
    // Their pending offsets: a commit of the transaction makes them offsets of the group, an abort drops them.
    table('transaction_offsets', 'rows', [
      'cluster integer NOT NULL',
      'transactional_id text NOT NULL',
      'group_id text NOT NULL',
      'topic_id text NOT NULL',
      'partition integer NOT NULL',
      'committed_offset bigint NOT NULL',
      'leader_epoch integer NOT NULL',
      'metadata text NOT NULL',
      'PRIMARY KEY (cluster, transactional_id, group_id, topic_id, partition)',
    ]),
    index('CREATE INDEX transaction_offsets_by_group ON transaction_offsets (cluster, group_id)'),
  ],
  [
    // Changes with every topic and config, so that each agent notices what another one has changed.
    addColumn('clusters', 'view_version bigint NOT NULL DEFAULT 0'),
  ],
  [
    // Markers and skipped offsets: they name an incarnation of an agent, and no object does.
    index('CREATE INDEX segments_without_bytes ON segments (cluster, incarnation) WHERE size_bytes = 0'),
  ],
  // From here on producers begin transactions: see minimumReaderVersion.
  [],
  [
    // The version of the group's head after the save that stored the offset: of two offsets for one place, the one that was sent later stays.
    addColumn('group_offsets', 'save_version bigint NOT NULL DEFAULT 0'),
    addColumn('transaction_offsets', 'save_version bigint NOT NULL DEFAULT 0'),
  ],
  [
    // Where HTTP clients reach the agent. Null: it serves no HTTP, or its version does not say where.
    addColumn('agents', 'control_url text'),
    addColumn('agents', 'data_url text'),
  ],
  [
    // The zone of the agent. Null: it has none. An agent of an older version leaves the one of its predecessor.
    addColumn('agents', 'rack text'),
  ],
  [
    // As the client asked for it: the object store replicates, whatever it is. Null: 1, also for topics of earlier versions.
    addColumn('topics', 'replication_factor integer'),
  ],
]

function keepRecords(): Call {
  // The dialects have different functions for JSON.
  return statement('keep records of older topics', {
    postgres: `UPDATE topics SET configs = (configs::jsonb || '{"retention.ms":"-1"}'::jsonb)::text WHERE configs::jsonb -> 'retention.ms' IS NULL`,
    sqlite: `UPDATE topics SET configs = json_set(configs, '$."retention.ms"', '-1') WHERE json_extract(configs, '$."retention.ms"') IS NULL`,
  })()
}

/** `rows that change`: keeps room in the page for the next version of a row. `large rows`: kept out of SQLite's key tree. */
function table(name: string, holds: 'rows' | 'rows that change' | 'large rows', columns: readonly string[]): Call {
  const text = `CREATE TABLE ${name} (${columns.join(', ')})`
  // The dialects have different storage options.
  return statement(`make ${name}`, {
    postgres: holds === 'rows that change' ? `${text} WITH (fillfactor = 50)` : text,
    sqlite: holds === 'large rows' ? text : `${text} WITHOUT ROWID`,
  })()
}

function addColumn(name: string, column: string): Call {
  // PostgreSQL keeps 63 characters of a statement's name.
  return statement(`add ${name}.${column.slice(0, column.indexOf(' '))}`, `ALTER TABLE ${name} ADD COLUMN ${column}`)()
}

function index(text: string): Call {
  return statement(text.slice(0, text.indexOf(' (')), text)()
}
