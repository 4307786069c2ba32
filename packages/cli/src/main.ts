#!/usr/bin/env node
// The bin `lks`: checks the version of Node, turns the compile cache on, then loads the command. It imports nothing else, so that an old Node can still report the error.
import * as nodeModule from 'node:module'

const needed: readonly [major: number, minor: number] = [22, 19]
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

if (major < needed[0] || (major === needed[0] && minor < needed[1])) {
  process.stderr.write(
    `error: this Node.js is too old: ${process.versions.node} (LKS-1006)\n` +
      `  why: Local Kafka Service needs Node.js ${needed.join('.')} or newer\n` +
      `  fix: install a newer one from nodejs.org, or: npx -y node@26 ${quoted(process.argv[1] ?? 'lks')}\n`,
  )
  process.exitCode = 1
} else {
  nodeModule.enableCompileCache()
  // Older versions print a warning on the first screen that SQLite is experimental; the user can do nothing about it.
  if (major < 26) {
    const emitWarning = process.emitWarning.bind(process)
    process.emitWarning = (warning: string | Error, ...rest: readonly unknown[]) => {
      if (!String(warning).includes('SQLite')) Reflect.apply(emitWarning, undefined, [warning, ...rest])
    }
  }
  void start()
}

/** Quoted for a shell: folder names may contain spaces. */
function quoted(path: string): string {
  return /^[\w@%+=:,./\\-]+$/.test(path) ? path : `'${path}'`
}

async function start(): Promise<void> {
  const { run } = await import('./command/cli.ts')
  await run(process.argv, process.env)
}
