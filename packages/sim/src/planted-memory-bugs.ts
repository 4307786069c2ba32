// Bugs in the release of memory that is used again.
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
    edits: [{ file: 'agent/src/objects/wrappers/cached.ts', find: 'release: this.#memory.hold(pieces)', replace: 'release: () => {}' }],
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
]
