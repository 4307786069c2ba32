// The connection options in the form of the client library; reads PEM files.
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { errorText } from '@local-kafka-service/agent/native-error'
import type { BaseOptions } from '@platformatic/kafka'
import { UserError } from 'local-kafka-service/internal/user-error'
import type { ConnectionOptions, TlsOptions } from './connection-options.ts'
import { splitServer } from './server-address.ts'

/** Rejects with a UserError for a file that cannot be read. */
export async function clientOptions(connection: ConnectionOptions): Promise<BaseOptions> {
  const { clientId, tls, sasl, connectTimeoutMs, requestTimeoutMs } = connection
  const brokers = connection.bootstrapServers.map(splitServer)
  return {
    clientId,
    bootstrapBrokers: brokers,
    connectTimeout: connectTimeoutMs,
    requestTimeout: requestTimeoutMs,
    timeout: Math.min(requestTimeoutMs, 30_000),
    // The caller decides which requests to retry: cluster.ts does it for the administrative commands.
    retries: 0,
    ...(tls !== undefined && {
      tls: await tlsOptions(tls),
      // A host name is sent so that a proxy can route by it (SNI); an address must not be sent.
      tlsServerName: brokers.every(({ host }) => isIP(host) === 0),
    }),
    ...(sasl !== undefined && { sasl }),
  }
}

/** TLS options for Node. Rejects with a UserError for a file that cannot be read. */
export async function tlsOptions({
  ca,
  certificate,
  key,
  keyPassword,
  verifyCertificate,
  verifyHostName,
}: TlsOptions): Promise<NonNullable<BaseOptions['tls']>> {
  return {
    rejectUnauthorized: verifyCertificate,
    ...(ca !== undefined && { ca: await pem(ca, 'ssl.ca.location') }),
    ...(certificate !== undefined && { cert: await pem(certificate, 'ssl.certificate.location') }),
    ...(key !== undefined && { key: await pem(key, 'ssl.key.location') }),
    ...(keyPassword !== undefined && { passphrase: keyPassword }),
    ...(!verifyHostName && { checkServerIdentity: () => undefined }),
  }
}

async function pem(path: string, said: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new UserError('LKS-1004', {
      what: `${said}: ${path} cannot be read`,
      why: errorText(error),
      fix: [`use a PEM file: -X ${said}=path`],
      cause: error,
    })
  }
}
