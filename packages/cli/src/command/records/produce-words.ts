// The words that options of `lks produce` accept.
export const produceFormats = ['table', 'json', 'name'] as const
export const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
export const acknowledgements = ['all', '1', '0'] as const
