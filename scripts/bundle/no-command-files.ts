// Removes commander's code for commands in separate files from the bundle: we have none, and loading node:child_process takes as long as reading the command line.
import type { Plugin } from 'rolldown'

const absent = '\0no-command-files'

export function noCommandFiles(): Plugin {
  return {
    name: 'no command files',
    resolveId: (source, importer) => (startsCommandFiles(source, importer) ? absent : null),
    load: (id) =>
      id === absent ? `export default { spawn() { throw new Error('no command of Local Kafka Service is a file of its own') } }` : null,
  }
}

/** That import is not one of Node's own module: the plugin resolves it. */
export function startsCommandFiles(id: string, importer: string | undefined): boolean {
  return id === 'node:child_process' && importer?.includes('/commander/') === true
}
