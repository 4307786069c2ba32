// Bugs in the release of memory that is used again, and in what readers remember.
import type { PlantedBug } from './planted-bug.ts'

export const memoryBugs: readonly PlantedBug[] = [
  {
    name: 'a slab released before its object is stored',
    scenario: 'slow flush beats newer flush',
    edits: [
      {
        file: 'agent/src/write/writer.ts',
        find: '    this.#finish(open, await this.#chain.send(flush))',
        replace: `    const settled = this.#chain.send(flush)
    open.held.release()
    this.#finish(open, await settled)`,
      },
    ],
  },
  {
    name: 'a slab released although the cache holds it',
    scenario: 'chaos',
    edits: [{ file: 'agent/src/objects/wrappers/cached.ts', find: 'this.#memory.hold(chunks)', replace: '() => {}' }],
  },
  {
    name: 'a slab released although a reader holds it',
    scenario: 'chaos',
    edits: [
      { file: 'agent/src/objects/wrappers/cached.ts', find: 'release: this.#memory.hold(pieces)', replace: 'release: () => {}' },
      // A slow answer: other batches take the memory meanwhile. Without a delay an answer is built and sent too fast for that.
      {
        file: 'agent/src/read/reader.ts',
        find: '      this.#ahead.resume()\n      return answers',
        replace: '      await new Promise((resolve) => this.#parts.clock.after(1_000, () => resolve()))\n      return answers',
      },
    ],
  },
  {
    name: 'a slab released before its answer is sent',
    scenario: 'chaos',
    edits: [
      {
        file: 'agent/src/api/fetch.ts',
        find: "      return { kind: 'now', response, sent: release }",
        replace: "      held.release()\n      return { kind: 'now', response, sent: release }",
      },
    ],
  },
  {
    name: 'a frame released before its batches are admitted',
    scenario: 'chaos',
    edits: [
      {
        file: 'agent/src/net/connection.ts',
        find: '    const handled = await this.#parts.handle(frame, this.#gone.signal, pin)',
        replace: `    const handling = this.#parts.handle(frame, this.#gone.signal, pin)
    pin.release()
    const handled = await handling`,
      },
    ],
  },
  {
    name: 'a read-ahead that survives a truncated topic',
    scenario: 'topic made again',
    edits: [
      {
        file: 'agent/src/read/read-ahead.ts',
        find: 'this.#positions.get(partition)?.find(({ nextOffset }) => nextOffset === offset)?.known',
        replace: `[...this.#positions]
      .filter(([key]) => key.endsWith(partition.slice(partition.lastIndexOf('/'))))
      .flatMap(([, positions]) => positions)
      .find(({ known }) => known !== undefined && known.segments[0].baseOffset <= offset && known.segments.at(-1).lastOffset >= offset)?.known`,
      },
      { file: 'agent/src/read/read-ahead.ts', find: ' || known.tail !== tail', replace: '' },
      {
        file: 'agent/src/read/read-ahead.ts',
        find: 'this.#clock.monotonic() - known.atMs <= fixedLimits.knownSegmentsMs ? known : undefined',
        replace: '{ ...known, segments: known.segments.filter(({ lastOffset }) => lastOffset >= offset) }',
      },
      {
        file: 'agent/src/read/read-ahead.ts',
        find: 'if (nowMs - oldest.answeredAtMs <= fixedLimits.knownSegmentsMs) return',
        replace: 'return',
      },
      {
        file: 'agent/src/read/segment-planner.ts',
        find: 'const known = newest === undefined ?',
        replace: 'const known = newest === undefined || ahead.knownAt(key, ask.offset, tail) !== undefined ?',
      },
    ],
  },
]
