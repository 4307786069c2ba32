// The reference page of the command line, from the product's own tables of commands, connection settings and error codes.
import type { ClientCommand, CommandArgument, CommandOption } from '../../packages/cli/src/command/client-command.ts'
import { allCommands } from '../../packages/cli/src/command/commands.ts'
import { connectionOptions, connectionProperties, type Property } from '../../packages/cli/src/command/connection.ts'
import { userErrorCodes } from '../../packages/local-kafka-service/src/user-error.ts'

/** The page without the note that it is generated. */
export async function cliPage(): Promise<string> {
  const commands = (await allCommands()).filter(({ hidden }) => hidden !== true)
  return `# The command line

\`lks dev\` runs a server on this machine, and \`lks start\` a production agent on S3 and PostgreSQL. Their options are those of \`lks dev --help\`, \`lks start --help\` and of [configuration.md](configuration.md). The other commands work with any Kafka server.

${commands.map(({ path, summary }) => `- [\`lks ${path.join(' ')}\`](#${anchor(path)}): ${summary}`).join('\n')}

Results go to standard output, everything else to standard error. \`-o json\` and \`-o yaml\` contain everything that the table shows; their keys are a contract. Colours and
questions appear only on a terminal; elsewhere a command that cannot be undone needs \`--yes\`.

| exit code | |
|---|---|
| 0 | done |
| 1 | failed; \`error: … (LKS-nnnn)\` says why |
| 2 | wrong usage |
| 130, 143 | ended by Ctrl-C, by SIGTERM |

${commands.map(section).join('\n\n')}

## The connection

Every command that connects to a cluster takes these:

${optionTable(connectionOptions)}

These are the settings of \`-X\`, with librdkafka's names. Each can also be given as an environment variable: \`sasl.password\` is \`LKS_CLIENT_SASL_PASSWORD\`.

| setting | values | |
|---|---|---|
${connectionProperties.map(({ name, values, doc }: Property) => `| \`${name}\` | ${values === undefined ? '' : values.map((value) => `\`${value}\``).join(' ')} | ${doc} |`).join('\n')}

## Errors

| code | |
|---|---|
${Object.entries(userErrorCodes)
  .map(([code, what]) => `| ${code} | ${what} |`)
  .join('\n')}
`
}

function section(command: ClientCommand): string {
  const { path, aliases = [], summary, arguments: args, options, examples } = command
  const usage = ['lks', ...path, ...(options.length > 0 ? ['[options]'] : []), ...args.map(written)].join(' ')
  const parts = [`## lks ${path.join(' ')}\n\n${summary}\n\n\`\`\`\n${usage}\n\`\`\``]
  if (aliases.length > 0) parts.push(`Also: ${aliases.map((alias) => `\`lks ${[...path.slice(0, -1), alias].join(' ')}\``).join(', ')}.`)
  const documented = args.map(({ name, doc }) => `| \`${name}\` | ${doc} |`)
  if (documented.length > 0) parts.push(`| argument | |\n|---|---|\n${documented.join('\n')}`)
  if (options.length > 0) parts.push(optionTable(options))
  parts.push(`\`\`\`sh\n${examples.join('\n')}\n\`\`\``)
  return parts.join('\n\n')
}

function optionTable(options: readonly CommandOption[]): string {
  const rows = options.map(({ name, short, placeholder, repeatable, default: standard, doc }) => {
    const flag = `${short === undefined ? '' : `-${short}, `}--${name}${placeholder === undefined ? '' : ` <${placeholder}>`}`
    const notes = [standard === undefined ? '' : ` Default: \`${standard}\`.`, repeatable === true ? ' May be repeated.' : '']
    return `| \`${flag}\` | ${doc}${notes.join('')} |`
  })
  return `| option | |\n|---|---|\n${rows.join('\n')}`
}

function written({ name, required, variadic }: CommandArgument): string {
  const text = `${name}${variadic === true ? '...' : ''}`
  return required ? `<${text}>` : `[${text}]`
}

function anchor(path: readonly string[]): string {
  return `lks-${path.join('-')}`
}
