// Which batches of a request are admitted together: all, unless some are compressed again, which are in memory until they are admitted.
import type { AppendRules } from '../core/log/validate.ts'
import type { Packer } from '../memory/packer.ts'
import type { Topic } from '../metadata/metadata-store.ts'
import type { Turns } from '../time/turns.ts'

/** Consecutive batches of a request, by their indexes. */
export interface BatchRange {
  readonly from: number
  readonly until: number
  /** The most that those which are compressed again have together. */
  readonly repackedBytes: number
}

/** In turns: the rules of thousands of topics are looked up. With the scope `all` it is one range. */
export async function* rangesOf(
  {
    batches,
    scope,
  }: { readonly batches: readonly { readonly topic: Topic; readonly batch: Uint8Array | null }[]; readonly scope: 'each' | 'all' },
  rulesOf: (topic: Topic) => AppendRules,
  { packer, turns }: { readonly packer: Pick<Packer, 'shareBytes'>; readonly turns: Turns },
): AsyncGenerator<BatchRange> {
  const slice = turns.slice()
  let from = 0
  let repackedBytes = 0
  for (const [at, { topic, batch }] of batches.entries()) {
    const rules = rulesOf(topic)
    const bytes = rules.compression === undefined || batch === null ? 0 : repackedBytesAtMost(batch, rules)
    if (scope === 'each' && repackedBytes > 0 && repackedBytes + bytes > packer.shareBytes) {
      yield { from, until: at, repackedBytes }
      from = at
      repackedBytes = 0
    }
    repackedBytes += bytes
    if (slice.spent(1)) await slice.next()
  }
  yield { from, until: batches.length, repackedBytes }
}

/** Of a batch that is compressed again. No codec makes records much larger, and above `max.message.bytes` the batch is rejected. */
function repackedBytesAtMost({ length }: Uint8Array, { maxBytes }: AppendRules): number {
  return Math.max(length, maxBytes)
}
