// Client commands of `lks` in processes of their own, with bytes going in and out.
import { type Program, type ProgramEnd, startProgram } from '../../../packages/sim/src/program.ts'
import { builtMain, withoutOurVariables } from './server.ts'

/** The command line of a program that runs `lks`. */
export const lksWords: readonly [program: string, ...args: string[]] = [process.execPath, builtMain]

export function startCommand(kafka: string, args: readonly string[]): Program {
  const [program, ...words] = lksWords
  return startProgram(program, [...words, ...args], { env: { ...withoutOurVariables(), KAFKA_BROKERS: kafka } })
}

/** Runs the command until it ends by itself, successful or not. */
export async function runCommand(kafka: string, args: readonly string[], input: string | Buffer = ''): Promise<ProgramEnd> {
  const command = startCommand(kafka, args)
  command.endInput(input)
  return await command.ended
}

/** Resolves with its output, one character for each byte. Rejects with its output if it fails. */
export async function printed(kafka: string, args: readonly string[], input: string | Buffer = ''): Promise<string> {
  const command = startCommand(kafka, args)
  command.endInput(input)
  await command.succeeded()
  return command.stdoutBytes().toString('latin1')
}
