// The programs of others that end-to-end tests use: which of them this machine has, and Kafka's own tools.
import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { type ProgramEnd, runProgram } from '../../../packages/sim/src/program.ts'

export const python = process.env.LKS_TEST_PYTHON ?? 'python3'
/** Jars, in Java's notation. */
export const kafkaClasspath = process.env.KAFKA_CLASSPATH ?? ''

/** For programs that run for a short time. */
export function javaOptions(classpath: string): readonly string[] {
  return ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', classpath]
}

export const has = {
  kcat: succeeds('kcat', ['-V']),
  pgbouncer: succeeds('pgbouncer', ['-V']),
  confluentKafka: succeeds(python, ['-c', 'import confluent_kafka']),
  kafkaTools: kafkaClasspath !== '' && succeeds('java', ['-version']),
}

/** In CI a program that is missing is a failure, at home its tests are skipped by name. */
export function needs(program: keyof typeof has): typeof test | typeof test.skip {
  if (process.env.CI === 'true') test(`${program} is there`, () => expect(has[program]).toBe(true))
  return has[program] ? test : test.skip
}

/** Runs one of Kafka's own tools, by its main class. */
export function kafkaTool(mainClass: string, args: readonly string[], options: Parameters<typeof runProgram>[2] = {}): Promise<ProgramEnd> {
  return runProgram('java', ['-Xmx256M', ...javaOptions(kafkaClasspath), mainClass, ...args], options)
}

/** Whether the program exists, and ends with the exit code 0. */
export function succeeds(program: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): boolean {
  return spawnSync(program, args, { stdio: 'ignore', env }).status === 0
}

/** Without the empty ones. */
export function linesOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '')
}
