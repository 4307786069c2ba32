// The audit of a database at the end of a run: the invariants that its rows must satisfy, each as a query for the rows that break it.
import type { TestConnection } from '../../packages/agent/src/metadata/testing/connection.ts'

interface AuditRule {
  /** The number in docs/guides/simulator.md, and what must hold. */
  readonly name: string
  /** Returns one column `text` for each row that breaks the rule. */
  readonly query: string
}

/** `$1`: the cluster's id. */
const rules: readonly AuditRule[] = [
  {
    name: 'I2 the segments of a log follow one another without a gap or an overlap',
    query: `SELECT format('log %s: a segment begins at %s after %s', log, base_offset, before) AS text FROM (
        SELECT s.log, s.base_offset, lag(s.last_offset) OVER (PARTITION BY s.log ORDER BY s.last_offset) AS before
        FROM lks.segments s JOIN lks.clusters c USING (cluster) WHERE c.cluster_id = $1) AS pairs
      WHERE before IS NOT NULL AND base_offset <> before + 1`,
  },
  {
    name: 'I2 a segment ends where it begins or later',
    query: `SELECT format('log %s: %s to %s', log, base_offset, last_offset) AS text FROM lks.segments
      JOIN lks.clusters USING (cluster) WHERE cluster_id = $1 AND (base_offset > last_offset OR base_offset < 0)`,
  },
  {
    name: 'I2 the segments of a partition reach from its start to its end',
    query: `SELECT format('partition %s of %s: %s to %s, and segments %s to %s', p.partition, p.topic_id, p.log_start_offset, p.next_offset, first, last) AS text
      FROM lks.partitions p JOIN lks.clusters c USING (cluster)
      LEFT JOIN (SELECT cluster, log, min(base_offset) AS first, max(last_offset) AS last FROM lks.segments GROUP BY cluster, log) s USING (cluster, log)
      WHERE c.cluster_id = $1 AND p.log_start_offset < p.next_offset
        AND (first IS NULL OR first > p.log_start_offset OR last <> p.next_offset - 1)`,
  },
  {
    name: 'I3 the start, the last stable offset and the end of a partition are in this order',
    query: `SELECT format('partition %s of %s: %s, %s, %s', partition, topic_id, log_start_offset, first_unstable_offset, next_offset) AS text
      FROM lks.partitions JOIN lks.clusters USING (cluster) WHERE cluster_id = $1 AND (log_start_offset < 0 OR log_start_offset > next_offset
        OR first_unstable_offset >= next_offset)`,
  },
  {
    name: 'I2 a log belongs to one partition',
    query: `SELECT format('log %s belongs to %s partitions', log, count(*)) AS text FROM lks.partitions JOIN lks.clusters USING (cluster)
      WHERE cluster_id = $1 GROUP BY cluster, log HAVING count(*) > 1`,
  },
  {
    name: 'I6 a chain has committed no object after its last sequence',
    query: `SELECT format('object %s/%s, and the last sequence is %s', o.incarnation, o.sequence, i.last_sequence) AS text
      FROM lks.objects o JOIN lks.clusters c USING (cluster) LEFT JOIN lks.incarnations i USING (cluster, incarnation)
      WHERE c.cluster_id = $1 AND (i.incarnation IS NULL OR o.sequence > i.last_sequence)`,
  },
  {
    name: 'I5 the result that a chain keeps is that of its last commit',
    query: `SELECT format('the result of %s is of %s, and the last sequence is %s', r.incarnation, r.sequence, i.last_sequence) AS text
      FROM lks.results r JOIN lks.clusters c USING (cluster) LEFT JOIN lks.incarnations i USING (cluster, incarnation)
      WHERE c.cluster_id = $1 AND i.last_sequence IS DISTINCT FROM r.sequence`,
  },
  {
    name: 'I10 the bytes of a segment are inside its object',
    query: `SELECT format('log %s: %s at %s + %s of object %s/%s of %s bytes', s.log, s.last_offset, s.byte_start, s.size_bytes, s.incarnation, s.sequence, o.size_bytes) AS text
      FROM lks.segments s JOIN lks.clusters c USING (cluster) LEFT JOIN lks.objects o USING (cluster, incarnation, sequence)
      WHERE c.cluster_id = $1 AND s.size_bytes > 0 AND (o.sequence IS NULL OR s.byte_start + s.size_bytes > o.size_bytes)`,
  },
  {
    name: 'the running timestamp of a log never falls',
    query: `SELECT format('log %s: %s at %s', log, running_max_timestamp, last_offset) AS text FROM (
        SELECT s.log, s.last_offset, s.running_max_timestamp, lag(s.running_max_timestamp) OVER (PARTITION BY s.log ORDER BY s.last_offset) AS before
        FROM lks.segments s JOIN lks.clusters c USING (cluster) WHERE c.cluster_id = $1) AS pairs
      WHERE running_max_timestamp < before`,
  },
  {
    name: 'I9 a slot belongs to no incarnation, or to an active one of an agent',
    query: `SELECT format('slot %s belongs to %s, which is %s', s.slot, s.owner, coalesce(i.state, 'missing')) AS text
      FROM lks.slots s JOIN lks.clusters c USING (cluster) LEFT JOIN lks.incarnations i ON i.cluster = s.cluster AND i.incarnation = s.owner
      WHERE c.cluster_id = $1 AND s.owner IS NOT NULL AND i.state IS DISTINCT FROM 'active'`,
  },
  {
    name: 'an agent has at most one active incarnation',
    query: `SELECT format('%s has %s', i.agent, count(*)) AS text FROM lks.incarnations i JOIN lks.clusters c USING (cluster)
      JOIN lks.agents a USING (cluster, agent) WHERE c.cluster_id = $1 AND i.state = 'active' GROUP BY i.agent HAVING count(*) > 1`,
  },
  {
    name: 'a broker id belongs to one agent',
    query: `SELECT format('broker id %s has %s agents', broker_id, count(*)) AS text FROM lks.agents JOIN lks.clusters USING (cluster)
      WHERE cluster_id = $1 GROUP BY broker_id HAVING count(*) > 1`,
  },
  {
    name: 'I8 the batches that a producer is known by are in the log, in order, with contiguous sequences',
    query: `SELECT format('producer %s in log %s: %s', producer_id, log, batches) AS text FROM (
        SELECT p.producer_id, p.log, p.batches, l.next_offset, b.ordinal, (b.batch ->> 'baseOffset')::bigint AS base,
          (b.batch ->> 'baseSequence')::bigint AS sequence, (b.batch ->> 'lastSequence')::bigint AS last,
          lag((b.batch ->> 'baseOffset')::bigint) OVER w AS base_before, lag((b.batch ->> 'lastSequence')::bigint) OVER w AS last_before
        FROM lks.producers p JOIN lks.clusters c USING (cluster) JOIN lks.partitions l USING (cluster, log),
          jsonb_array_elements(p.batches::jsonb) WITH ORDINALITY AS b (batch, ordinal)
        WHERE c.cluster_id = $1 WINDOW w AS (PARTITION BY p.log, p.producer_id ORDER BY b.ordinal)) AS known
      WHERE base >= next_offset OR base <= base_before OR (sequence <> last_before + 1 AND sequence <> 0) OR ordinal > 5`,
  },
  {
    name: 'I17 a committed offset is not after the end of its partition',
    query: `SELECT format('%s is at %s of partition %s, which ends at %s', g.group_id, g.committed_offset, p.partition, p.next_offset) AS text
      FROM lks.group_offsets g JOIN lks.clusters c USING (cluster) JOIN lks.partitions p USING (cluster, topic_id, partition)
      WHERE c.cluster_id = $1 AND g.committed_offset > p.next_offset`,
  },
  {
    name: 'I20 partitions, groups and offsets belong to a transaction that is open',
    query: `SELECT format('%s of %s, whose state is %s', what, transactional_id, coalesce(t.state, 'missing')) AS text FROM (
        SELECT cluster, transactional_id, 'a partition' AS what FROM lks.transaction_partitions
        UNION ALL SELECT cluster, transactional_id, 'a group' FROM lks.transaction_groups
        UNION ALL SELECT cluster, transactional_id, 'an offset' FROM lks.transaction_offsets) AS parts
      JOIN lks.clusters c USING (cluster) LEFT JOIN lks.transactional_ids t USING (cluster, transactional_id)
      WHERE c.cluster_id = $1 AND t.state IS DISTINCT FROM 'Ongoing'`,
  },
  {
    name: 'no incarnation is from the future of its cluster',
    query: `SELECT format('incarnation %s, and the next one is %s', i.incarnation, c.next_incarnation) AS text
      FROM lks.incarnations i JOIN lks.clusters c USING (cluster) WHERE c.cluster_id = $1 AND i.incarnation >= c.next_incarnation`,
  },
]

/** What breaks an invariant; empty if nothing does. A rule reports at most ten rows. */
export async function audit(database: TestConnection, clusterId: string): Promise<readonly string[]> {
  const broken: string[] = []
  for (const { name, query } of rules) {
    const rows = await database.query<{ readonly text: string }>(`${query} LIMIT 10`, [clusterId])
    broken.push(...rows.map(({ text }) => `${name}: ${text}`))
  }
  return broken
}
