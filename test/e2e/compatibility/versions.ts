// Which version of each client is on this machine.
import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { clientPrograms, type ProgramName } from '../clients/clients.ts'
import { ecosystemPin, pinOf } from '../clients/pins.ts'
import { kafkaClasspath, python } from '../testing/programs.ts'
import { type ClientName, type EcosystemName, ecosystem } from './exercised.ts'

/** Asked only for a client whose tests have run, so it is there. */
export function versionOf(client: ClientName): string {
  const program = clientPrograms.find(({ name }) => name === client)
  // A test holds each program to the version that is pinned.
  if (program !== undefined) return pinOf(program)
  if (client in ecosystem) return ecosystemPin(ecosystem[client as EcosystemName])
  return installed[client as InstalledName]()
}

type InstalledName = Exclude<ClientName, ProgramName | EcosystemName>

const installed: Readonly<Record<InstalledName, () => string>> = {
  kcat() {
    const [, version = '', librdkafka = ''] = /Version (\S+).*librdkafka (\S+)/.exec(outputOf('kcat', ['-V'])) ?? []
    return `${version} (librdkafka ${librdkafka})`
  },
  'confluent-kafka (Python), Debian': () =>
    outputOf(python, ['-c', "import confluent_kafka as c; print(f'{c.version()[0]} (librdkafka {c.libversion()[0]})')"]).trim(),
  "Apache Kafka's own tools"() {
    const folder = dirname(kafkaClasspath)
    const [, version = ''] =
      readdirSync(folder)
        .map((name) => /^kafka-clients-([\d.]+)\.jar$/.exec(name))
        .find((found) => found !== null) ?? []
    return version
  },
}

function outputOf(program: string, args: readonly string[]): string {
  return execFileSync(program, [...args], { encoding: 'utf8' })
}
