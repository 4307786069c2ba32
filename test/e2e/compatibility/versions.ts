// Which version of each client is on this machine.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { kafkaClasspath, python } from '../testing/programs.ts'
import type { ClientName } from './exercised.ts'

/** Asked only for a client whose tests have run, so it is there. */
export const versionOf: Readonly<Record<ClientName, () => string>> = {
  kcat() {
    const [, version = '', librdkafka = ''] = /Version (\S+).*librdkafka (\S+)/.exec(said('kcat', ['-V'])) ?? []
    return `${version} (librdkafka ${librdkafka})`
  },
  'confluent-kafka (Python)': () =>
    said(python, ['-c', "import confluent_kafka as c; print(f'{c.version()[0]} (librdkafka {c.libversion()[0]})')"]).trim(),
  kafkajs: () => packageVersion('kafkajs'),
  '@platformatic/kafka': () => packageVersion('@platformatic/kafka'),
  "Apache Kafka's own tools"() {
    const folder = dirname(kafkaClasspath)
    const [, version = ''] =
      readdirSync(folder)
        .map((name) => /^kafka-clients-([\d.]+)\.jar$/.exec(name))
        .find((found) => found !== null) ?? []
    return version
  },
}

function said(program: string, args: readonly string[]): string {
  return execFileSync(program, [...args], { encoding: 'utf8' })
}

/** Of the package that Node finds from here, whether it exports its package.json or not. */
function packageVersion(name: string): string {
  let folder = dirname(createRequire(import.meta.url).resolve(name))
  while (!existsSync(join(folder, 'package.json')) || !readFileSync(join(folder, 'package.json'), 'utf8').includes(`"name": "${name}"`)) {
    folder = dirname(folder)
  }
  // The cast: npm installs nothing without a version.
  return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { readonly version: string }).version
}
