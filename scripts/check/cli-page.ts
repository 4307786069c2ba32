// The reference page of the command line, from the product's own tables of commands, connection settings and error codes.
import type { ClientCommand, CommandArgument, CommandOption } from '../../packages/local-kafka-service/src/command/client-command.ts'
import { clientCommands } from '../../packages/local-kafka-service/src/command/commands.ts'
import { connectionOptions, connectionProperties, type Property } from '../../packages/local-kafka-service/src/command/connection.ts'
import { userErrorCodes } from '../../packages/local-kafka-service/src/user-error.ts'

/** Without the note that it is generated. */
export function cliPage(): string {
  const commands = clientCommands.filter(({ hidden }) => hidden !== true)
  return `# The command line

\`lks dev\` runs a server; its options are those of \`lks dev --help\` and of [configuration.md](configuration.md). The other commands work with any Kafka, this one or another.

${commands.map(({ path, summary }) => `- [\`lks ${path.join(' ')}\`](#${anchor(path)}): ${summary}`).join('\n')}

What was asked for goes to standard output, everything else to standard error. \`-o json\` and \`-o yaml\` have everything that the table has; their keys are a contract. Colours and
questions are for terminals only; what cannot be taken back needs \`--yes\` where nobody is there to ask.

| exit code | |
|---|---|
| 0 | done |
| 1 | failed; \`error: … (LKS-nnnn)\` says why |
| 2 | a wrong call |
| 130, 143 | ended by Ctrl-C, by SIGTERM |

${commands.map(section).join('\n\n')}

## The connection

Every command that asks a cluster takes these:

${optionTable(connectionOptions)}

The settings of \`-X\`, with the names that librdkafka has for them. Each can also be given as an environment variable: \`sasl.password\` is \`LKS_CLIENT_SASL_PASSWORD\`.

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
  const { path, summary, arguments: args, options, examples } = command
  const usage = ['lks', ...path, ...(options.length > 0 ? ['[options]'] : []), ...args.map(written)].join(' ')
  const parts = [`## lks ${path.join(' ')}\n\n${summary}\n\n\`\`\`\n${usage}\n\`\`\``]
  const documented = args.map(({ name, doc }) => `| \`${name}\` | ${doc} |`)
  if (documented.length > 0) parts.push(`| argument | |\n|---|---|\n${documented.join('\n')}`)
  if (options.length > 0) parts.push(optionTable(options))
  parts.push(`\`\`\`sh\n${examples.join('\n')}\n\`\`\``)
  return parts.join('\n\n')
}

function optionTable(options: readonly CommandOption[]): string {
  const rows = options.map(({ name, short, placeholder, repeatable, default: standard, doc }) => {
    const flag = `${short === undefined ? '' : `-${short}, `}--${name}${placeholder === undefined ? '' : ` <${placeholder}>`}`
    const notes = [standard === undefined ? '' : ` Default: \`${standard}\`.`, repeatable === true ? ' As often as wanted.' : '']
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
