// What a user of the protocol package writes: compiled by every promised version of TypeScript, without Node's types.
import { decodeRequest, decodeRequestHeader, encodeResponse, Produce, type ProduceRequest } from '@local-kafka-service/protocol'

export function topicsOf(frame: Uint8Array): readonly string[] {
  const { apiVersion, bodyAt } = decodeRequestHeader(frame)
  const request: ProduceRequest = decodeRequest(Produce, apiVersion, frame, bodyAt)
  return request.topicData.map(({ name }) => name)
}

export function refuse(correlationId: number): readonly Uint8Array[] {
  // @ts-expect-error: there is no such field
  return encodeResponse(Produce, 9, correlationId, { responses: [], throttleTime: 1 })
}
