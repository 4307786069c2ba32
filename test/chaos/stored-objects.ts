// The audit of a bucket at the end of a run: every object that a segment names is there, with the size that the database knows.
import type { TestConnection } from '../../packages/agent/src/metadata/testing/connection.ts'
import { openS3 } from '../../packages/agent/src/objects/adapters/s3.ts'
import type { ChaosCluster } from './agents.ts'

interface NamedObject {
  readonly chain: string
  readonly sequence: number
  readonly sizeBytes: number
}

/** One text for each object that is missing or has another size; at most ten. */
export async function missingObjects(
  database: TestConnection,
  { clusterId, storage }: Pick<ChaosCluster, 'clusterId' | 'storage'>,
): Promise<readonly string[]> {
  const named = await database.query<NamedObject>(
    `SELECT DISTINCT s.incarnation || '-' || i.nonce AS chain, s.sequence, o.size_bytes AS "sizeBytes" FROM lks.segments s
      JOIN lks.clusters c USING (cluster) JOIN lks.incarnations i USING (cluster, incarnation) JOIN lks.objects o USING (cluster, incarnation, sequence)
      WHERE c.cluster_id = $1 AND s.size_bytes > 0`,
    [clusterId],
  )
  const store = await openS3({ ...storage, region: 'us-east-1' })
  try {
    const sizes = new Map<string, number>()
    for await (const { key, sizeBytes } of store.list(clusterId))
      sizes.set(key.slice(key.indexOf('/', clusterId.length + 1) + 1), sizeBytes)
    return named
      .filter(({ chain, sequence, sizeBytes }) => sizes.get(`${chain}/${String(sequence).padStart(12, '0')}`) !== sizeBytes)
      .slice(0, 10)
      .map(
        ({ chain, sequence, sizeBytes }) =>
          `I10 a segment points to an existing object: ${chain}/${sequence} has ${sizes.get(`${chain}/${String(sequence).padStart(12, '0')}`) ?? 'no'} bytes, not ${sizeBytes}`,
      )
  } finally {
    await store.close()
  }
}
