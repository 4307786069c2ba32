// Jest's fake timers stop the code under test, but not the server in the same process.
const { startKafka } = require('local-kafka-service')

test('fake timers do not affect the server', async () => {
  jest.useFakeTimers()
  const kafka = await startKafka({ topics: { invoices: 1 }, http: true })
  try {
    setTimeout(() => kafka.produce('invoices', 'a day later'), 86_400_000)
    expect(await kafka.records('invoices')).toEqual([])
    jest.advanceTimersByTime(86_400_000)
    const [invoice] = await kafka.waitFor('invoices', 1)
    expect(invoice.text()).toBe('a day later')
  } finally {
    jest.useRealTimers()
    await kafka.stop()
  }
})
