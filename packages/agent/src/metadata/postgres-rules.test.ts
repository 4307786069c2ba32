// Rules for all SQL of the Metadata Service, checked in its source: what behaves differently behind a pooler, or decides with a stale row, does not occur.
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

const folder = new URL('.', import.meta.url)
const sources = readdirSync(folder)
  .filter((name) => name.endsWith('.ts') && !/\.(test|contract)\.ts$/.test(name))
  .map((name) => ({ name, text: readFileSync(new URL(name, folder), 'utf8') }))

/** All string literals with a word of SQL in capitals. */
const literals = sources.flatMap(({ name, text }) =>
  [...text.matchAll(/'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g)]
    .map(([literal]) => ({ name, sql: literal.slice(1, -1) }))
    .filter(({ sql }) => /\b[A-Z]{2,}\b/.test(sql)),
)
const found = (pattern: RegExp): readonly string[] =>
  literals.filter(({ sql }) => pattern.test(sql)).map(({ name, sql }) => `${name}: ${sql}`)

test('there is SQL to look at', () => {
  expect(literals.length).toBeGreaterThan(200)
})

describe('nothing belongs to a session, which a pooler may give to another client', () => {
  test('no setting outlives its transaction', () => {
    expect(found(/(^|;\s*)SET (?!LOCAL)/)).toEqual([])
    expect(found(/set_config\((?!'\w+', '\w+', true\))/)).toEqual([])
  })

  test('there are no notifications, prepared statements, temporary tables, cursors or session locks', () => {
    expect(found(/\b(UN)?LISTEN\b|\bNOTIFY\b|^PREPARE\b|^DEALLOCATE\b|\bTEMP(ORARY)?\b|WITH HOLD/)).toEqual([])
    expect(found(/pg_(try_)?advisory_(?!xact_lock)/)).toEqual([])
  })
})

describe('a statement that waits for a lock decides nothing', () => {
  const locking = literals.filter(({ sql }) => /\bFOR (NO KEY UPDATE|UPDATE|SHARE|KEY SHARE)\b/.test(sql))

  test('it reads one table: after the wait, columns of another one would be from before it, and the row itself may be missing from the answer', () => {
    expect(locking.length).toBeGreaterThan(10)
    for (const { name, sql } of locking) {
      expect((sql.match(/\bFROM\b/g) ?? []).length, `${name}: ${sql}`).toBeLessThanOrEqual(1)
      expect(sql, `${name}: ${sql}`).not.toMatch(/\bJOIN\b/)
    }
  })

  test('the one join that a locking statement has adds the nonce of an incarnation, which never changes', () => {
    const joins = locking.flatMap(({ sql }) => [...sql.matchAll(/\$\{(\w+)\}/g)].map(([, part = '']) => part))
    const withJoin = new Set(
      sources
        .flatMap(({ text }) => [...text.matchAll(/const (\w+) = [`'][^`']*\bJOIN\b/g)].map(([, part = '']) => part))
        .filter((part) => joins.includes(part)),
    )
    expect([...withJoin]).toEqual(['withNonce'])
    const [text = ''] = sources.flatMap((source) => /const withNonce =\s*[`'][^`']*[`']/.exec(source.text)?.[0] ?? [])
    expect(text).toMatch(/JOIN incarnations/)
  })
})

test('every list of a statement is made of rows, so its columns have one length', () => {
  // `unnest` fills the shorter array with NULL. Only these files write one: each makes its arrays from rows.
  expect(sources.filter(({ text }) => /unnest\(/.test(text)).map(({ name }) => name)).toEqual(['promoted-rows.ts', 'statement.ts'])
})
