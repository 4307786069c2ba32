#!/usr/bin/env bash
# @platformatic/kafka: records of one batch whose timestamps are 2^31 ms (24.9 days) or more apart get other timestamps.
#
# The batch writer stores each timestamp as a zigzag varint of its distance from the batch's first one. Its zigzag step shifts the sign out of a 64-bit value
# by 31 places, where 63 are needed, so a distance of 2^31 ms or more comes out as another number. Nothing is reported: the checksum covers the wrong bytes.
# The package's own reader and the varint reader below, which is independent of it, agree on what was written.
# Seen with @platformatic/kafka 2.12.1 and @platformatic/dynamic-buffer 0.3.1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --no-audit --no-fund --silent @platformatic/kafka@2.12.1 @platformatic/dynamic-buffer@0.3.1
cat >batch.mjs <<'JS'
import { createRecordsBatch, Reader, readRecordsBatch } from '@platformatic/kafka'

const day = 86_400_000
const first = 1_700_000_000_000
const batchHeaderBytes = 61

// Record: length, attributes (1 byte), timestamp delta, … Lengths and deltas are zigzag varints of up to 64 bits.
function varint(bytes, at) {
  let value = 0n
  for (let shift = 0n; ; shift += 7n) {
    const byte = BigInt(bytes[at++])
    value |= (byte & 0x7fn) << shift
    if (byte < 0x80n) return { value: (value >> 1n) ^ -(value & 1n), at }
  }
}
function deltasOf(batch, count) {
  const deltas = []
  let at = batchHeaderBytes
  for (let index = 0; index < count; index++) {
    const length = varint(batch, at)
    deltas.push(Number(varint(batch, length.at + 1).value))
    at = length.at + Number(length.value)
  }
  return deltas
}

for (const days of [1, 24, 25, 30, 365]) {
  const messages = [0, days * day].map((later) => ({ topic: 't', value: Buffer.from('v'), timestamp: BigInt(first + later) }))
  const batch = createRecordsBatch(messages, {}).buffer
  const [, written] = deltasOf(batch, messages.length)
  const read = Number(readRecordsBatch(Reader.from(batch)).records[1].timestampDelta)
  console.log(`${days} days: given ${days * day} ms, written ${written} ms, read by the package ${read} ms`)
}
JS
node batch.mjs | tee seen
diff - seen <<'SEEN' && echo 'as it was seen'
1 days: given 86400000 ms, written 86400000 ms, read by the package 86400000 ms
24 days: given 2073600000 ms, written 2073600000 ms, read by the package 2073600000 ms
25 days: given 2160000000 ms, written -2160000001 ms, read by the package -2160000001 ms
30 days: given 2592000000 ms, written -2592000001 ms, read by the package -2592000001 ms
365 days: given 31536000000 ms, written 31536000007 ms, read by the package 31536000007 ms
SEEN
