// The commands that run a server, with their summaries. It imports nothing, so that a start does not load the other commands.
export const serverCommands = {
  dev: 'Run a server on this machine until Ctrl-C.',
  start: 'Run a production agent on S3 and PostgreSQL.',
} as const

export function isServerCommand(word: string | undefined): word is keyof typeof serverCommands {
  return word !== undefined && Object.hasOwn(serverCommands, word)
}
