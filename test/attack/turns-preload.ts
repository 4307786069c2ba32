// Loaded into the server under attack: writes the CPU time of each long turn of its event loop, in milliseconds, to the file TURNS_FILE.
// CPU time, not wall time: it does not count what other programs of the machine do meanwhile.
import { appendFile } from 'node:fs'
import process from 'node:process'
import { isMainThread } from 'node:worker_threads'

const longTurnMs = 5
const path = process.env['TURNS_FILE']

if (isMainThread && path !== undefined) {
  let last = process.threadCpuUsage()
  // It fires once in each turn while the loop is busy.
  setInterval(() => {
    const now = process.threadCpuUsage()
    const cpuMs = (now.user + now.system - last.user - last.system) / 1_000
    last = now
    if (cpuMs >= longTurnMs) appendFile(path, `${cpuMs}\n`, () => {})
  }, 1).unref()
}
