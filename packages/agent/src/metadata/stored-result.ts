// The stored text of a commit's result. It is part of the schema: its word for a rejected batch is `refused`.
import type { CommitResult, Verdict } from './metadata-store.ts'

type StoredVerdict = Exclude<Verdict, { kind: 'rejected' }> | { readonly kind: 'refused'; readonly reason: string }

export function encodeResult(result: CommitResult): string {
  const { verdicts } = result
  if (!verdicts.some(({ kind }) => kind === 'rejected')) return JSON.stringify(result)
  const stored = verdicts.map((verdict): StoredVerdict => (verdict.kind === 'rejected' ? { ...verdict, kind: 'refused' } : verdict))
  return JSON.stringify({ ...result, verdicts: stored })
}

export function decodeResult(text: string): CommitResult {
  const { verdicts, ...result } = JSON.parse(text) as Omit<CommitResult, 'verdicts'> & { readonly verdicts: readonly StoredVerdict[] }
  return {
    ...result,
    verdicts: verdicts.map((verdict) => (verdict.kind === 'refused' ? ({ ...verdict, kind: 'rejected' } as Verdict) : verdict)),
  }
}
