// One turn of a classic group: a draft of its state, and the changes and replies of the turn so far.
import type { ClassicGroupState, ClassicReply, ClassicSettings } from './classic-messages.ts'
import {
  type AssignmentRow,
  applyChange,
  type ClassicChange,
  draftOf,
  type GroupRow,
  type GroupState,
  type MemberRow,
  type MemberSession,
  type PendingId,
  type Phase,
} from './classic-state.ts'
import type { AddressedReply, RequestId, Step } from './machine.ts'

export class Turn {
  /** The state after the step. */
  readonly state: GroupState
  readonly settings: ClassicSettings
  readonly nowMs: number
  readonly #changes = new Map<string, ClassicChange>()
  readonly #replies: AddressedReply<ClassicReply>[] = []

  constructor(before: GroupState, settings: ClassicSettings, nowMs: number) {
    this.state = draftOf(before)
    this.settings = settings
    this.nowMs = nowMs
  }

  get groupState(): ClassicGroupState {
    return this.state.group?.state ?? 'Dead'
  }

  answer(to: RequestId, reply: ClassicReply): void {
    this.#replies.push({ to, reply })
  }

  setGroup(value: GroupRow | null): void {
    this.#put({ kind: 'group', key: 'group', kept: 'journal', value })
  }

  setMember(id: string, value: MemberRow | null): void {
    this.#put({ kind: 'member', key: `member/${id}`, kept: 'journal', id, value })
  }

  setAssignment(id: string, value: AssignmentRow | null): void {
    this.#put({ kind: 'assignment', key: `assignment/${id}`, kept: 'journal', id, value })
  }

  setSession(id: string, value: MemberSession | null): void {
    this.#put({ kind: 'session', key: `session/${id}`, kept: 'memory', id, value })
  }

  setPending(id: string, value: PendingId | null): void {
    this.#put({ kind: 'pending', key: `pending/${id}`, kept: 'memory', id, value })
  }

  setJoin(id: string, value: RequestId | null): void {
    this.#put({ kind: 'join', key: `join/${id}`, kept: 'memory', id, value })
  }

  setSync(id: string, value: RequestId | null): void {
    this.#put({ kind: 'sync', key: `sync/${id}`, kept: 'memory', id, value })
  }

  setPhase(value: Phase): void {
    this.#put({ kind: 'phase', key: 'phase', kept: 'memory', value })
  }

  setAlarm(value: number | null): void {
    this.#put({ kind: 'alarm', key: 'alarm', kept: 'memory', value })
  }

  end(): Step<ClassicReply, ClassicChange> {
    return { changes: [...this.#changes.values()], replies: this.#replies, tasks: [] }
  }

  /** The last change of a key replaces earlier ones and moves to the end. */
  #put(change: ClassicChange): void {
    applyChange(this.state, change)
    this.#changes.delete(change.key)
    this.#changes.set(change.key, change)
  }
}
