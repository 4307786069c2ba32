// Jest's faked timers stop the code under test, not the server beside it.
const { startKafka } = require('local-kafka-service')

test('faked timers do not reach the server', async () => {
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
