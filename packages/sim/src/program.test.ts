// How programs in separate processes are started, awaited and ended.
import { expect, test } from 'vitest'
import { runProgram, startProgram } from './program.ts'

const node = (code: string): readonly [program: string, args: readonly string[]] => [process.execPath, ['-e', code]]

test('a program that fails is an error with its exit code and both outputs', async () => {
  const failing = runProgram(...node("console.log('out'); console.error('wrong'); process.exitCode = 3"))
  await expect(failing).rejects.toThrow(/failed \(3\)\nstdout: out\n\nstderr: wrong\n/)
})

test('a wait for output rejects with both outputs when the program ends before', async () => {
  await using program = startProgram(...node("console.log('out'); console.error('wrong')"))
  await expect(program.until(() => program.lines.length === 2)).rejects.toThrow(/ended too early \(0\)\nstdout: out\n\nstderr: wrong\n/)
})

test('a program that is not there is an error for each of its waits', async () => {
  const program = startProgram('no-such-program-anywhere', ['x'])
  await expect(program.firstLine()).rejects.toThrow('no-such-program-anywhere x cannot be started')
  await expect(program.ended).rejects.toThrow('no-such-program-anywhere x cannot be started')
  await expect(startProgram('no-such-program-anywhere', ['x'], { group: true }).kill()).rejects.toThrow('cannot be started')
})

test('input, lines and bytes pass unchanged, also characters that a chunk splits', async () => {
  const copies = "process.stdin.on('data', (bytes) => { for (const byte of bytes) process.stdout.write(Uint8Array.of(byte)) })"
  await using program = startProgram(...node(copies))
  program.write('häl')
  program.write('f\nte')
  expect(await program.firstLine()).toBe('hälf')
  program.endInput('rest')
  expect(await program.succeeded()).toMatchObject({ stdout: 'hälf\nterest' })
  expect(program.stdoutBytes()).toEqual(Buffer.from('hälf\nterest'))
  expect(program.lines).toEqual(['hälf'])
})

test('endProgram loses nothing that it wrote, although its reader is busy', async () => {
  const ending = `import { endProgram } from ${JSON.stringify(new URL('program.ts', import.meta.url))}`
  const writing = "for (let line = 0; line < 2_000; line++) process.stdout.write('x'.repeat(999) + '\\n')"
  const program = startProgram(process.execPath, ['--input-type=module', '-e', `${ending}; ${writing}; await endProgram(3)`])
  await program.firstLine()
  const until = performance.now() + 300
  while (performance.now() < until);
  const { code, stdout } = await program.ended
  expect([code, stdout.length]).toEqual([3, 2_000_000])
})

test('a program that takes longer than its limit is killed', async () => {
  await expect(runProgram(...node('setInterval(() => {}, 1_000)'), { limitMs: 50 })).rejects.toThrow(/failed \(SIGKILL\)/)
})

test.skipIf(process.platform === 'win32')('a killed group ends with the programs that it started', async () => {
  const script = '"$0" -e "console.log(1); setInterval(() => {}, 1000)"; true'
  const program = startProgram('sh', ['-c', script, process.execPath], { group: true })
  await program.firstLine()
  // Without the group, this waits indefinitely: the inner program holds the output open.
  expect(await program.kill()).toMatchObject({ signal: 'SIGKILL', stdout: '1\n' })
})
