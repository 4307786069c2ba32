// The commands of the README, as they stand.
import { expect } from 'vitest'
import { runningBlocks } from './testing/guide.ts'
import { runAsUser } from './testing/packed.ts'
import { needs } from './testing/programs.ts'
import { repository, startServer } from './testing/server.ts'

needs('kcat')('N11: the three commands of the README print two answers and the record, and nothing else', async () => {
  await using server = await startServer({ args: ['--memory'] })
  const [block] = await runningBlocks('README.md')
  const script = (block?.text ?? '')
    .replaceAll('localhost:9092', server.kafka)
    .replaceAll('localhost:8000', new URL(server.urls.control).host)
    .replaceAll('localhost:8123', new URL(server.urls.data).host)
    .replaceAll('curl ', 'curl --silent --show-error --fail ')
  const { stdout, stderr } = await runAsUser('sh', ['-e', '-c', script], { cwd: repository })
  const lines = stdout.trimEnd().split('\n')
  expect(lines).toHaveLength(3)
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ name: 'hello' })
  expect(JSON.parse(lines[1] ?? '')).toMatchObject({ topic: 'hello', partition: 0, offset: 0, key: 'key' })
  expect(lines[2]).toBe('value')
  expect(stderr).not.toContain('Reached end')
})
