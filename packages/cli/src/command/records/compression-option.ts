// The codec of the batches that a command produces.
import type { CommandOption } from '../client-command.ts'
import { oneOf } from './option-checks.ts'
import { codecs } from './produce-words.ts'

export const compressionOption: CommandOption = {
  name: 'compression',
  short: 'z',
  placeholder: 'codec',
  default: 'none',
  doc: 'none, gzip, snappy, lz4 or zstd.',
  completes: codecs,
  check: oneOf(codecs),
}
