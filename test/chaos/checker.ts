// Checks a history for what a Kafka must never do: lose, double, move, reorder or skip a record, or lose a committed offset.
// The rules are those of Jepsen's kafka workload (github.com/jepsen-io/redpanda), without transactions.
import type { HistoryLine, PartitionOffset, PolledRecord, Reader, StoredBatch } from './history.ts'

export interface Anomaly {
  readonly rule: Rule
  readonly text: string
}

export type Rule =
  /** A record was read that no client has sent there. */
  | 'phantom record'
  /** One offset has two values. */
  | 'inconsistent offset'
  /** One value has two offsets, and its client did not send it under another epoch: see `resent`. */
  | 'duplicate'
  /** A value is at another offset than the acknowledged one. */
  | 'wrong offset'
  /** An acknowledged record, or one that was read before, is missing from a scan at the end. */
  | 'lost record'
  /** The records of a scan leave out an offset. */
  | 'gap'
  /** A reader passed over records. */
  | 'skip'
  /** A reader went back. */
  | 'non-monotonic poll'
  /** Records of one client got offsets in another order than they were sent in. */
  | 'non-monotonic send'
  /** A group does not return an acknowledged commit. */
  | 'lost commit'
  /** No member of a group, or an assigned reader, ever received an acknowledged record. */
  | 'unseen record'
  /** Stored batches of one producer id do not follow one another: a sequence number is missing or repeated, or the epoch goes back. */
  | 'broken sequence'

export interface Verdict {
  readonly anomalies: readonly Anomaly[]
  readonly figures: HistoryFigures
}

export interface HistoryFigures {
  readonly sent: number
  readonly acknowledged: number
  readonly unknown: number
  readonly polled: number
  readonly commits: number
  /**
   * Records that are stored twice because their client sent them again under another producer id or epoch, so that no broker can know them. librdkafka does so with what is under
   * way when it takes the next epoch.
   */
  readonly resent: number
  /** The longest time in which no record of a process was acknowledged, for each process that sends. */
  readonly longestPauseMs: Readonly<Record<string, number>>
}

export function check(history: Iterable<HistoryLine>, readers: readonly Reader[]): Verdict {
  const checker = new HistoryChecker(readers)
  for (const line of history) checker.add(line)
  return checker.verdict()
}

interface Place {
  readonly partition: number
  readonly offset: number
}

interface AskedOffsets {
  /** The last offset of each group and partition when the question was asked. */
  readonly committed: ReadonlyMap<string, number>
  /** What was committed after it. */
  readonly since: Set<string>
}

interface OlderOffset {
  /** Of the group and the partition. */
  readonly key: string
  readonly group: string
  readonly partition: number
  readonly offset: number
  readonly due: number
}

class HistoryChecker {
  readonly #anomalies: Anomaly[] = []
  readonly #readers: ReadonlyMap<string, Reader>
  /** The partition that each value was sent to. */
  readonly #sent = new Map<string, number>()
  readonly #acknowledged = new Map<string, { readonly partition: number; readonly offset: number | null }>()
  /** What is at each offset of each partition, by acknowledgements and reads. */
  readonly #log: Map<number, string>[] = []
  /** Where each value is. */
  readonly #places = new Map<string, Place>()
  /** The values of each process and partition, in the order in which they were sent. */
  readonly #order = new Map<string, string[]>()
  /** The last offset that a reader received, by reader and partition. */
  readonly #positions = new Map<string, number>()
  /** The values that each reader, or each group, has received. */
  readonly #seen = new Map<string, Set<string>>()
  /** Received before the line of their sender arrived, or never sent: the end shows which. */
  readonly #strange: (Place & { readonly name: string; readonly value: string })[] = []
  /** The last offset of each group and partition. */
  readonly #committed = new Map<string, number>()
  readonly #asked = new Map<number, AskedOffsets>()
  /** Answers that are older than what was committed before the question, unless a member went back: its commit may be acknowledged later. */
  #older: OlderOffset[] = []
  /** Values with two offsets: whose fault it is, the stored batches show. */
  readonly #doubled = new Map<string, { readonly places: readonly [Place, Place]; readonly text: string }>()
  readonly #batches: StoredBatch[] = []
  readonly #lastAcknowledgedMs = new Map<string, number>()
  readonly #pauses: Record<string, number> = {}
  #unknown = 0
  #polled = 0
  #commits = 0

  constructor(readers: readonly Reader[]) {
    this.#readers = new Map(readers.map((reader) => [reader.name, reader]))
    for (const reader of readers) this.#seen.set(seenBy(reader), new Set())
  }

  add(line: HistoryLine): void {
    switch (line.f) {
      case 'send':
        return this.#send(line)
      case 'sent':
        return this.#acknowledge(line)
      case 'unknown':
        this.#unknown += 1
        return
      case 'polled':
        return this.#poll(line.reader, line.records)
      case 'committed':
        this.#commits += 1
        for (const [partition, offset] of line.offsets) this.#commit(line.group, partition, offset)
        return
      case 'fetch offsets':
        this.#asked.set(line.id, { committed: new Map(this.#committed), since: new Set() })
        return
      case 'fetched offsets':
        return this.#returned(line.group, line.id, line.offsets)
      case 'batch':
        this.#batches.push(line)
        return
      case 'joined':
      case 'error':
      case 'done':
      case 'note':
      case 'fault':
      case 'slots':
    }
  }

  verdict(): Verdict {
    for (const { name, value, partition, offset } of this.#strange)
      if (this.#sent.get(value) !== partition)
        this.#report('phantom record', `${name} received '${value}' at ${offset} of ${partition}, which was not sent there`)
    for (const { group, partition, offset, due } of this.#older)
      this.#report('lost commit', `${group} is at ${offset} of ${partition}, and ${due} was committed before`)
    const resent = this.#checkBatches()
    for (const values of this.#order.values()) this.#ordered(values)
    for (const reader of this.#readers.values()) {
      if (reader.kind === 'scan') this.#scanned(reader)
      else this.#received(seenBy(reader))
    }
    return {
      anomalies: this.#anomalies,
      figures: {
        sent: this.#sent.size,
        acknowledged: this.#acknowledged.size,
        unknown: this.#unknown,
        polled: this.#polled,
        commits: this.#commits,
        resent,
        longestPauseMs: this.#pauses,
      },
    }
  }

  #send({ process, partition, value }: HistoryLine & { readonly f: 'send' }): void {
    this.#sent.set(value, partition)
    const line = `${process} ${partition}`
    const order = this.#order.get(line) ?? []
    this.#order.set(line, order)
    order.push(value)
  }

  #acknowledge({ process, partition, value, offset, atMs }: HistoryLine & { readonly f: 'sent' }): void {
    this.#acknowledged.set(value, { partition, offset })
    if (offset !== null) this.#isAt(value, { partition, offset }, `${process} received the acknowledgement`)
    const last = this.#lastAcknowledgedMs.get(process)
    if (last !== undefined) this.#pauses[process] = Math.max(this.#pauses[process] ?? 0, atMs - last)
    this.#lastAcknowledgedMs.set(process, atMs)
  }

  /** Records without an acknowledgement may be anywhere. */
  #ordered(values: readonly string[]): void {
    let before: { readonly value: string; readonly offset: number } | undefined
    for (const value of values) {
      const offset = this.#acknowledged.get(value)?.offset ?? null
      if (offset === null) continue
      if (before !== undefined && before.offset >= offset)
        this.#report('non-monotonic send', `'${value}' was sent after '${before.value}', and has ${offset}, not after ${before.offset}`)
      before = { value, offset }
    }
  }

  #poll(name: string, records: readonly PolledRecord[]): void {
    const reader = this.#readers.get(name)
    if (reader === undefined) throw new RangeError(`there is no reader '${name}'`)
    const within = new Map<number, number>()
    this.#polled += records.length
    for (const [partition, offset, value] of records) {
      this.#isAt(value, { partition, offset }, `${name} received it`)
      if (this.#sent.get(value) !== partition) this.#strange.push({ name, value, partition, offset })
      const key = `${name} ${partition}`
      // A member may begin again where the group was: inside one poll, its records follow one another all the same.
      const last = reader.kind === 'member' ? within.get(partition) : (this.#positions.get(key) ?? -1)
      if (last !== undefined) this.#follows(name, { partition, offset }, last)
      within.set(partition, offset)
      this.#positions.set(key, offset)
      this.#seen.get(seenBy(reader))?.add(value)
    }
  }

  #follows(reader: string, { partition, offset }: Place, last: number): void {
    if (offset <= last) this.#report('non-monotonic poll', `${reader} received ${offset} of ${partition} after ${last}`)
    if (offset > last + 1) this.#report('skip', `${reader} received ${offset} of ${partition} after ${last}`)
  }

  #isAt(value: string, place: Place, why: string): void {
    const { partition, offset } = place
    const log = (this.#log[partition] ??= new Map())
    const there = log.get(offset)
    if (there !== undefined && there !== value)
      this.#report('inconsistent offset', `${offset} of ${partition} is '${value}' (${why}), and was '${there}'`)
    log.set(offset, value)
    const known = this.#places.get(value)
    if (known !== undefined && (known.partition !== partition || known.offset !== offset)) {
      const acknowledged = this.#acknowledged.get(value)
      const wrong = acknowledged !== undefined && this.#log[known.partition]?.get(known.offset) !== value
      const text = `'${value}' is at ${offset} of ${partition} (${why}), and at ${known.offset} of ${known.partition}`
      if (wrong) this.#report('wrong offset', text)
      else if (!this.#doubled.has(value)) this.#doubled.set(value, { places: [known, place], text })
    }
    this.#places.set(value, place)
  }

  /** A member that has lost its position begins again at an older commit, and its next commits are lower than the last ones. */
  #commit(group: string, partition: number, offset: number): void {
    const key = `${group} ${partition}`
    this.#committed.set(key, offset)
    for (const { since } of this.#asked.values()) since.add(`${key} ${offset}`)
    this.#older = this.#older.filter((one) => one.key !== key || one.offset !== offset)
  }

  /** Every commit that was acknowledged before the question must be in the answer, or one that was acknowledged after it. */
  #returned(group: string, id: number, offsets: readonly PartitionOffset[]): void {
    const asked = this.#asked.get(id)
    if (asked === undefined) throw new RangeError(`the offsets ${id} were not asked for`)
    this.#asked.delete(id)
    for (const [partition, offset] of offsets) {
      const key = `${group} ${partition}`
      const due = asked.committed.get(key) ?? -1
      if (offset < due && !asked.since.has(`${key} ${offset}`)) this.#older.push({ key, group, partition, offset, due })
    }
  }

  /** Returns how many of the doubled values their clients have sent under two producer ids or epochs. */
  #checkBatches(): number {
    const batches = this.#batches.toSorted((one, other) => one.partition - other.partition || one.offset - other.offset)
    const last = new Map<string, StoredBatch>()
    for (const batch of batches) {
      const { partition, producerId, epoch, sequence } = batch
      if (producerId < 0) continue
      const key = `${producerId} ${partition}`
      const before = last.get(key)
      last.set(key, batch)
      const due = before?.epoch === epoch ? before.sequence + before.records : 0
      if (sequence !== due || epoch < (before?.epoch ?? 0))
        this.#report('broken sequence', `${described(batch)} follows ${before === undefined ? 'none' : described(before)}`)
    }
    const batchAt = ({ partition, offset }: Place): StoredBatch | undefined =>
      batches.find((one) => one.partition === partition && one.offset <= offset && offset < one.offset + one.records)
    let resent = 0
    for (const { places, text } of this.#doubled.values()) {
      const [one, other] = places.map(batchAt)
      const isResent = one !== undefined && other !== undefined && (one.producerId !== other.producerId || one.epoch !== other.epoch)
      if (isResent) resent += 1
      else
        this.#report('duplicate', [text, ...[one, other].map((batch) => (batch === undefined ? 'no batch' : described(batch)))].join('; '))
    }
    return resent
  }

  /** A group of several members is looked at for each of them, and reported once. */
  #received(by: string): void {
    const seen = this.#seen.get(by)
    this.#seen.delete(by)
    if (seen === undefined) return
    const unseen = [...this.#acknowledged.keys()].filter((value) => !seen.has(value))
    if (unseen.length > 0) this.#report('unseen record', `${by} never received ${some(unseen)}, which were acknowledged`)
  }

  #scanned({ name }: Reader): void {
    const seen = this.#seen.get(name)
    for (const [partition, log] of this.#log.entries()) {
      if (log === undefined) continue
      const missing = [...log].filter(([, value]) => seen?.has(value) !== true).map(([, value]) => value)
      if (missing.length > 0)
        this.#report('lost record', `${name} did not find ${some(missing)} in partition ${partition}, which were there before`)
      const end = Math.max(-1, ...log.keys())
      const gaps = Array.from({ length: end + 1 }, (_, offset) => offset).filter((offset) => !log.has(offset))
      if (gaps.length > 0) this.#report('gap', `${name} found nothing at ${some(gaps.map(String))} of ${partition}`)
    }
  }

  #report(rule: Rule, text: string): void {
    this.#anomalies.push({ rule, text })
  }
}

function described({ partition, offset, records, producerId, epoch, sequence }: StoredBatch): string {
  return `${records} records at ${offset} of ${partition} from ${sequence} of producer ${producerId}, epoch ${epoch}`
}

/** Members of a group share their work. */
function seenBy({ kind, name, group }: Reader): string {
  return kind === 'member' ? `group ${group}` : name
}

function some(values: readonly string[]): string {
  const first = values.slice(0, 5).map((value) => (value.length > 24 ? `${value.slice(0, 24)}…` : value))
  return `${values.length} (${first.join(', ')}${values.length > 5 ? ', …' : ''})`
}
