// The reasons why a connection is closed, for the user of a client: requests that are not served, and bytes that are not Kafka's protocol.
import { type Api, apiName, type ProtocolError, type RequestHeader } from '@local-kafka-service/protocol'
import type { Misunderstanding } from '../observe/events.ts'

type Asked = Pick<RequestHeader, 'apiKey' | 'apiVersion'>

/** `api` is the served API with that key, if there is one. */
export function notServed({ apiKey, apiVersion }: Asked, api: Api | undefined): Misunderstanding {
  const request = { api: apiName(apiKey), version: apiVersion }
  const words = `${request.api} ${apiVersion} is not served`
  if (api === undefined)
    return {
      request,
      message: `${words} (API key ${apiKey})`,
      advice: 'avoid this call; docs/reference/apis.md lists the APIs that are served',
    }
  const [min, max] = api.versions
  const message = `${words}: ${min === max ? `version ${min} is` : `versions ${min} to ${max} are`}`
  return apiVersion < min
    ? { request, message, advice: "set the client's Kafka version to 0.11.0 or newer, or use a newer client" }
    : { request, message, advice: "let the client ask for the server's versions (ApiVersions), or set its Kafka version to an older one" }
}

/** For a request with a valid header and an invalid body. */
export function unreadable({ apiKey, apiVersion }: Asked, { message }: ProtocolError): Misunderstanding {
  const request = { api: apiName(apiKey), version: apiVersion }
  return { request, message: `${request.api} ${apiVersion} cannot be read: ${message}`, advice: damaged }
}

/** For bytes without a valid request header. */
export function notKafka({ looksLike, message }: ProtocolError): Misunderstanding {
  switch (looksLike) {
    case 'TLS':
      return {
        request: undefined,
        message: 'the bytes are TLS, which the Kafka port does not support',
        advice: 'set security.protocol=PLAINTEXT in the client (kafkajs: ssl: false)',
      }
    case 'HTTP':
      return {
        request: undefined,
        message: "the bytes are HTTP, not Kafka's protocol",
        advice: 'use the port of the control plane (8000 by default) or of the data plane (8123)',
      }
    case undefined:
      return { request: undefined, message: `the bytes are not a Kafka request: ${message}`, advice: damaged }
  }
}

const damaged = 'check whether a proxy changes the bytes, or report this to the authors of the client'
