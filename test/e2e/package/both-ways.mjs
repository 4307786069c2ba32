// Run from a folder in which the protocol package is installed: the same library by import and by require, without a dependency.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import * as imported from '@local-kafka-service/protocol'

const required = createRequire(join(process.cwd(), 'package.json'))('@local-kafka-service/protocol')
const frame = imported.encodeRequest(imported.ApiVersions, { version: 0, correlationId: 7, clientId: null }, {})
const header = imported.decodeRequestHeader(Buffer.concat(frame).subarray(4))
if (header.correlationId !== 7) throw new Error(`correlation id ${header.correlationId}`)
console.log(JSON.stringify({ apis: imported.apis.size, oneLibrary: required.ProtocolError === imported.ProtocolError }))
