// The console in a real browser: each page in both widths and colour schemes, a first visit from nothing to a message, and a server that goes away.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumPath, looks, openPage, overflow, picture, startBrowser, violations } from './testing/browser.ts'
import { lks, portsOf, type ServerProcess, startServer, temporaryFolder } from './testing/server.ts'

// At home without Chromium the tests are skipped by name, in CI that is a failure.
if (process.env['CI'] === 'true') test('Chromium is there', () => expect(chromiumPath).toBeDefined())

describe.skipIf(chromiumPath === undefined)('the console', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await startBrowser()
  })
  afterAll(() => browser.close())

  /** A machine may be busy with other tests. */
  const soon = { timeout: 20_000 } as const
  const wide = { width: 1280, scheme: 'light' } as const

  test('a first visit: from nothing to a message that appears live', async () => {
    await using server = await startServer({ args: ['--memory'] })
    await using opened = await openPage(browser, `${server.urls.control}/`, wide)
    const { page, complaints } = opened
    await page.getByText('There is no topic yet').waitFor()
    await page.getByText(server.kafka).waitFor()
    await picture(page, 'first-visit')
    await page.getByRole('button', { name: 'Create topic' }).first().click()
    await page.getByLabel('Name').fill('hello')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'hello' }).waitFor()
    await page.getByText('No message yet').waitFor()
    await page.getByRole('button', { name: 'Produce a message' }).click()
    await page.getByRole('textbox', { name: 'Key none if empty' }).fill('greeting')
    await page.getByLabel('Value', { exact: true }).fill('{"hello":"world"}')
    await page.getByRole('dialog').getByRole('button', { name: 'Produce', exact: true }).click()
    await page.getByText('Stored in partition 0 at offset 0.').waitFor()
    await page.keyboard.press('Escape')
    const message = page.getByRole('listitem').filter({ hasText: 'greeting' })
    await message.waitFor()
    // A record of another producer, without any action on the page.
    await fetch(`${server.urls.data}/topics/hello/produce/0`, { method: 'POST', body: 'other:from curl' })
    await page.getByText('from curl').waitFor()
    expect(complaints).toEqual([])
  })

  describe('with topics and a group', () => {
    let server: ServerProcess
    beforeAll(async () => {
      server = await startServer({ args: ['--memory'] })
      await seed(server)
    })
    afterAll(() => server.stop())

    const pages: readonly (readonly [name: string, fragment: string, shown: (page: Page) => Promise<void>])[] = [
      ['overview', '#/', (page) => page.getByRole('link', { name: 'billing' }).waitFor()],
      [
        'messages',
        '#/topics/orders',
        async (page) => {
          for (const text of ['binary', 'tombstone', 'order-6']) await openFirst(page, text)
        },
      ],
      ['partitions', '#/topics/orders/partitions', (page) => page.getByRole('cell').first().waitFor()],
      ['compacted', '#/topics/customers/partitions', (page) => page.getByRole('button', { name: 'Compact now' }).waitFor()],
      ['configs', '#/topics/orders/configs', (page) => page.getByText('retention.ms', { exact: true }).waitFor()],
      ['groups', '#/groups', (page) => page.getByRole('link', { name: 'billing' }).waitFor()],
      ['group', '#/groups/billing', (page) => page.getByRole('cell').first().waitFor()],
      ['requests', '#/server/requests', (page) => page.getByText('UNKNOWN_TOPIC_OR_PARTITION').waitFor()],
      ['flushes', '#/server/flushes', (page) => page.getByRole('cell').first().waitFor()],
      ['no-transactions', '#/server/transactions', (page) => page.getByText('No transaction yet').waitFor()],
      ['upkeep', '#/server/upkeep', (page) => page.getByText('retention', { exact: true }).waitFor()],
      ['agents', '#/server/agents', (page) => page.getByText('shows this page').waitFor()],
      ['no-such-topic', '#/topics/nothing', (page) => page.getByText('There is no topic nothing').waitFor()],
    ]

    for (const look of looks) {
      test.for(pages)(
        `%s, ${look.name}: accessible, as wide as the window, and asking no other server`,
        async ([name, fragment, shown]) => {
          await using opened = await openPage(browser, `${server.urls.control}/${fragment}`, look)
          const { page, complaints } = opened
          await shown(page)
          await picture(page, `${name}-${look.name}`)
          expect(await violations(page)).toEqual([])
          expect(await overflow(page)).toBeLessThanOrEqual(0)
          expect(complaints).toEqual([])
        },
      )

      test(`the dialogs, ${look.name}`, async () => {
        await using opened = await openPage(browser, `${server.urls.control}/#/topics/orders`, look)
        const { page } = opened
        await page.getByRole('button', { name: 'Produce', exact: true }).click()
        await page.getByRole('button', { name: 'Add header' }).click()
        await picture(page, `produce-${look.name}`)
        expect(await violations(page)).toEqual([])
        await page.keyboard.press('Escape')
        await page.getByRole('button', { name: 'Delete topic' }).click()
        await picture(page, `delete-${look.name}`)
        expect(await violations(page)).toEqual([])
      })
    }

    test('messages are searched by text and key, far back too, and read from an offset on', async () => {
      await using opened = await openPage(browser, `${server.urls.control}/#/topics/orders`, wide)
      const { page } = opened
      const rows = page.locator('.records > li')
      await rows.first().waitFor()
      expect(await rows.count()).toBe(50)
      await page.getByRole('button', { name: 'Show older' }).click()
      await expect.poll(() => rows.count(), soon).toBe(100)
      await page.getByLabel('Text in key, value or header').fill('rare-needle')
      await expect.poll(() => rows.allInnerTexts(), soon).toEqual([expect.stringContaining('rare-needle')])
      await page.getByLabel('Text in key, value or header').fill('')
      await page.getByLabel('Exact key').fill('order-3')
      await expect
        .poll(async () => (await rows.allInnerTexts()).every((text) => text.includes('order-3')) && (await rows.count()), soon)
        .toBe(13)
      await page.clock.install()
      await page.getByLabel('Exact key').fill('')
      await page.getByLabel('Time').selectOption('between times')
      await page.getByLabel('Before').fill('2020-01-01T00:00:00')
      await page.getByText('No record matches.').waitFor()
      expect(await page.getByRole('button', { name: 'Paused' }).isDisabled()).toBe(true)
      await page.getByLabel('Before').fill('2999-01-01T00:00:00')
      await page.getByLabel('From').fill('2020-01-01T00:00:00')
      await expect.poll(() => rows.count(), soon).toBe(50)
      await picture(page, 'between-times')
      // A search that was typed before must not come later and undo this one.
      await page.clock.fastForward(1_000)
      expect(await page.getByLabel('From').inputValue()).toMatch(/^2020-01-01T00:00/)
      expect(await page.getByLabel('Before').inputValue()).toMatch(/^2999-01-01T00:00/)
      expect(await violations(page)).toEqual([])
      await page.getByText('Go to offset').click()
      await page.getByLabel('Offset').fill('2')
      await page.getByRole('button', { name: 'Go', exact: true }).click()
      await page.getByText('Partition 0 from offset 2').waitFor()
      await expect.poll(async () => (await rows.first().innerText()).includes('0:2'), soon).toBe(true)
      await page.getByRole('button', { name: 'Back to the newest' }).click()
      await expect.poll(() => rows.count(), soon).toBe(50)
    })

    test('a config is changed after a preview, and a value that the server rejects is explained', async () => {
      await using opened = await openPage(browser, `${server.urls.control}/#/topics/orders/configs`, wide)
      const { page } = opened
      await page.getByRole('button', { name: 'Change retention.ms' }).click()
      await page.getByLabel('Value').fill('soon')
      await page.getByRole('button', { name: 'Preview' }).click()
      await page.getByRole('dialog').getByRole('alert').waitFor()
      await page.getByLabel('Value').fill('1h')
      await page.getByText('write 3600000, a number of milliseconds').waitFor()
      await page.getByLabel('Value').fill('3600000')
      await page.getByRole('button', { name: 'Preview' }).click()
      await page.getByText('The server accepts this').waitFor()
      await picture(page, 'config-preview')
      expect(await configOf(server, 'retention.ms')).toBeUndefined()
      await page.getByRole('button', { name: 'Apply' }).click()
      await expect.poll(() => configOf(server, 'retention.ms'), soon).toBe('3600000')
    })

    test('the offsets of a group are moved after a preview', async () => {
      await using opened = await openPage(browser, `${server.urls.control}/#/groups/billing`, wide)
      const { page } = opened
      await page.getByRole('button', { name: 'Move offsets' }).click()
      await page.getByRole('combobox').selectOption('end')
      await page.getByRole('button', { name: 'Preview' }).click()
      await page.getByText('Nothing is moved yet').waitFor()
      await picture(page, 'seek-preview')
      expect(await lagOf(server)).toBeGreaterThan(0)
      await page.getByRole('button', { name: 'Move the offsets' }).click()
      await page.getByText('were moved').or(page.getByText('was moved')).waitFor()
      expect(await lagOf(server)).toBe(0)
    })

    test('a topic is compacted on request', async () => {
      const produce = async (...values: readonly string[]): Promise<unknown> =>
        await fetch(`${server.urls.data}/topics/customers/produce`, {
          method: 'POST',
          body: values.map((value) => JSON.stringify({ key: 'k', value })).join('\n'),
        })
      await produce('first')
      await produce('second')
      await using opened = await openPage(browser, `${server.urls.control}/#/topics/customers/partitions`, wide)
      const { page } = opened
      await page.getByText('Of each key, the last record is kept').waitFor()
      await page.getByRole('button', { name: 'Compact now' }).click()
      await page.getByText('The topic is compacted.').waitFor()
      expect(await valuesOf(server, 'customers')).toEqual(['second'])
      expect(await page.getByRole('button', { name: 'Delete records of partition 0' }).count()).toBe(0)
    })

    test('the records of a partition before an offset are deleted', async () => {
      await fetch(`${server.urls.control}/topics`, { method: 'POST', body: '{"name":"trimmed","partitions":1}' })
      await fetch(`${server.urls.data}/topics/trimmed/produce`, { method: 'POST', body: '{"value":"a"}\n{"value":"b"}' })
      await using opened = await openPage(browser, `${server.urls.control}/#/topics/trimmed/partitions`, wide)
      const { page } = opened
      await page.getByRole('button', { name: 'Delete records of partition 0' }).click()
      await page.getByText('2 offsets of 2 offsets go').waitFor()
      await page.getByLabel('Before offset').fill('1')
      await page.getByRole('dialog').getByRole('button', { name: 'Delete records' }).click()
      await expect.poll(() => valuesOf(server, 'trimmed'), soon).toEqual(['b'])
    })

    test('a topic with thousands of partitions is shown page by page', async () => {
      await fetch(`${server.urls.control}/topics`, { method: 'POST', body: '{"name":"wide","partitions":2500}' })
      await fetch(`${server.urls.data}/topics/wide/produce`, { method: 'POST', body: '{"value":"last","partition":2499}' })
      await using opened = await openPage(browser, `${server.urls.control}/#/topics/wide/partitions`, wide)
      const { page } = opened
      await page.getByText('Partitions 0 to 999 of 2,500').waitFor()
      await page.getByText('2,500 partitions, 1 record').waitFor()
      await page.getByRole('button', { name: 'Next' }).click()
      await page.getByText('Partitions 1,000 to 1,999 of 2,500').waitFor()
      await page.getByRole('button', { name: 'Next' }).click()
      await page.getByRole('button', { name: 'Delete records of partition 2499' }).and(page.locator(':enabled')).waitFor()
      expect(await page.getByRole('button', { name: 'Next' }).isDisabled()).toBe(true)
      await picture(page, 'many-partitions')
      await page.getByRole('button', { name: 'Previous' }).click()
      await page.getByText('Partitions 1,000 to 1,999 of 2,500').waitFor()
      await fetch(`${server.urls.control}/topics/wide`, { method: 'DELETE' })
    })

    test('a group is deleted after a question', async () => {
      const read = await lks(['consume', 'orders', '-g', 'doomed', '-n', '1', '-b', server.kafka])
      expect(read.code).toBe(0)
      await using opened = await openPage(browser, `${server.urls.control}/#/groups/doomed`, wide)
      const { page } = opened
      await page.getByRole('button', { name: 'Delete group' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Delete group' }).click()
      await page.getByRole('heading', { name: 'Groups', exact: true }).waitFor()
      expect((await fetch(`${server.urls.control}/groups/doomed`)).status).toBe(404)
    })

    test('the last flushes are shown again in slow motion', async () => {
      await using opened = await openPage(browser, `${server.urls.control}/#/server/flushes`, wide)
      const { page } = opened
      await page.getByRole('button', { name: 'Slow motion' }).click()
      await page.getByRole('heading', { name: 'The last flushes in slow motion' }).waitFor()
      const flushes = page.locator('.motion > li')
      expect(await flushes.count()).toBeGreaterThan(0)
      await picture(page, 'slow-motion')
      const states = async (state: string): Promise<number> => (await flushes.allInnerTexts()).filter((text) => text.includes(state)).length
      await expect.poll(() => states('is acknowledged'), soon).toBeGreaterThan(0)
      await page.getByRole('button', { name: 'Back to now' }).click()
      await page.getByRole('columnheader', { name: 'Its life' }).waitFor()
    })

    test('an open transaction is shown, and aborted after a question', async () => {
      const { Kafka, logLevel } = await import('kafkajs')
      const client = new Kafka({ brokers: [server.kafka], logLevel: logLevel.NOTHING })
      const producer = client.producer({ transactionalId: 'hangs', maxInFlightRequests: 1, idempotent: true })
      await producer.connect()
      const transaction = await producer.transaction()
      await transaction.send({ topic: 'customers', messages: [{ key: 'k', value: 'never' }] })
      await using opened = await openPage(browser, `${server.urls.control}/#/server/transactions`, wide)
      const { page } = opened
      await page.getByText('Ongoing').waitFor()
      await picture(page, 'transactions')
      expect(await violations(page)).toEqual([])
      await page.getByRole('button', { name: 'Abort the transaction of hangs' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Abort the transaction' }).click()
      await page.getByText('CompleteAbort').waitFor()
      expect(await valuesOf(server, 'customers')).not.toContain('never')
      await producer.disconnect()
    })

    test('what a sweep would remove is shown, and nothing is removed', async () => {
      await using opened = await openPage(browser, `${server.urls.control}/#/server/upkeep`, wide)
      const { page } = opened
      await page.getByRole('button', { name: 'Check the store' }).click()
      await page.getByText('A sweep would remove none of them.').waitFor()
    })

    test('a topic is deleted after a question, and brought back', async () => {
      await fetch(`${server.urls.control}/topics`, { method: 'POST', body: '{"name":"short-lived","partitions":1}' })
      await using opened = await openPage(browser, `${server.urls.control}/#/topics/short-lived`, wide)
      const { page } = opened
      await page.getByRole('button', { name: 'Delete topic' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Delete topic' }).click()
      await page.getByText('short-lived is deleted').waitFor()
      expect((await fetch(`${server.urls.control}/topics/short-lived`)).status).toBe(404)
      await page.getByRole('button', { name: 'Bring it back' }).click()
      await expect.poll(async () => (await fetch(`${server.urls.control}/topics/short-lived`)).status, soon).toBe(200)
    })
  })

  test('while the server is away the page says so; after a restart it goes on, and its writes carry the new token', async () => {
    await using folder = await temporaryFolder()
    const first = await startServer({ cwd: folder.path })
    await fetch(`${first.urls.control}/topics`, { method: 'POST', body: '{"name":"kept","partitions":1}' })
    await using opened = await openPage(browser, `${first.urls.control}/`, wide)
    const { page } = opened
    await page.getByRole('link', { name: 'kept' }).waitFor()
    await first.kill()
    await page.getByText('The server is away.').waitFor()
    expect(await page.getByRole('link', { name: 'kept' }).count()).toBe(1)
    expect(await violations(page)).toEqual([])
    await picture(page, 'away')
    await using second = await startServer({ cwd: folder.path, ports: portsOf(first) })
    await page.getByText('The server is away.').waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Create topic' }).click()
    await page.getByLabel('Name').fill('after-restart')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'after-restart' }).waitFor()
    expect((await fetch(`${second.urls.control}/topics/after-restart`)).status).toBe(200)
  })

  test('everything can be done with the keyboard', async () => {
    await using server = await startServer({ args: ['--memory'] })
    await seed(server)
    await using opened = await openPage(browser, `${server.urls.control}/#/topics/orders`, wide)
    const { page } = opened
    await page.locator('.records > li').first().waitFor()
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.textContent.trim()')).toBe('Skip to the contents')
    await page.keyboard.press('Enter')
    expect(await page.evaluate('document.activeElement.id')).toBe('main')
    await page.locator('.records summary').first().focus()
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Copy as curl' }).waitFor()
  })
})

const orders = 130

/** Two topics and a group with lag. */
async function seed(server: ServerProcess): Promise<void> {
  const post = async (url: string, body: string): Promise<void> => {
    const response = await fetch(url, { method: 'POST', body })
    if (!response.ok) throw new Error(`${url}: ${await response.text()}`)
  }
  await post(`${server.urls.control}/topics`, '{"name":"orders","partitions":3}')
  await post(`${server.urls.control}/topics`, '{"name":"customers","partitions":1,"config":{"cleanup.policy":"compact"}}')
  const lines = Array.from({ length: orders }, (_, n) =>
    JSON.stringify({
      key: `order-${n % 10}`,
      value: { order: n, sku: n === 0 ? 'rare-needle' : 'A-1', price: n * 1.5, lines: [{ count: 1 }] },
      headers: n % 4 === 0 ? [{ key: 'trace', value: `t${n}` }] : [],
      timestamp: Date.UTC(2026, 0, 1) + n * 1000,
    }),
  )
  const last = [
    JSON.stringify({ key: 'gone', value: null }),
    JSON.stringify({
      key: 'image',
      value: Buffer.from(Uint8Array.from({ length: 100 }, (_, n) => 255 - n)).toString('base64'),
      valueEncoding: 'base64',
    }),
    JSON.stringify({ key: 'order-6', value: { order: 'the newest', sku: 'A-1' }, headers: [{ key: 'trace', value: 'abc' }] }),
  ]
  await post(`${server.urls.data}/topics/orders/produce`, [...lines, ...last].join('\n'))
  const read = await lks(['consume', 'orders', '-g', 'billing', '-n', '20', '-b', server.kafka])
  if (read.code !== 0) throw new Error(read.stderr)
  // A request with an error, for the list of requests.
  const missing = await lks(['consume', 'no-such-topic', '-n', '1', '-b', server.kafka])
  if (missing.code === 0) throw new Error('a topic that does not exist was consumed')
}

/** Opens the first message whose line has the text. */
async function openFirst(page: Page, text: string): Promise<void> {
  const row = page.locator('.records > li').filter({ hasText: text }).first()
  await row.locator('summary').click()
  await row.getByRole('button', { name: 'Copy as curl' }).waitFor()
}

async function configOf({ urls }: ServerProcess, name: string): Promise<string | undefined> {
  const { config } = (await (await fetch(`${urls.control}/topics/orders`)).json()) as { readonly config: Readonly<Record<string, string>> }
  return config[name]
}

async function valuesOf({ urls }: ServerProcess, topic: string): Promise<readonly (string | null)[]> {
  const answer = (await (await fetch(`${urls.data}/topics/${topic}/messages`)).json()) as {
    readonly records: readonly { readonly value: string | null }[]
  }
  return answer.records.map(({ value }) => value)
}

async function lagOf({ urls }: ServerProcess): Promise<number> {
  return ((await (await fetch(`${urls.control}/groups/billing`)).json()) as { readonly lag: number }).lag
}
