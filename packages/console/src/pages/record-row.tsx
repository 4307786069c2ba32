// One record: a line, and everything about it when it is opened.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { call, urlOf } from '../api/client.ts'
import { bytes, localTime } from '../format.ts'
import { CopyButton } from '../parts/copy-button.tsx'
import { usePolled } from '../parts/use-polled.ts'
import { type Contents, contentsOf, placeOf, preview, type RecordJson } from '../record.ts'

const rarelyMs = 60_000

export function RecordRow({ topic, record }: { readonly topic: string; readonly record: RecordJson }): JSX.Element {
  const [open, setOpen] = useState(false)
  const key = contentsOf(record.key, record.keyEncoding)
  const value = contentsOf(record.value, record.valueEncoding)
  return (
    <li>
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          <time dateTime={new Date(record.timestamp).toISOString()}>{localTime(record.timestamp)}</time>
          <span class="at" title="partition : offset">
            {placeOf(record)}
          </span>
          <span class="key">{key.kind === 'null' ? <span class="tag">no key</span> : preview(key)}</span>
          <span class="value">
            {value.kind === 'null' ? <span class="tag bad">tombstone</span> : <span class="text">{preview(value)}</span>}
            {value.kind === 'binary' && <span class="tag">binary</span>}
            {record.headers.length > 0 && (
              <span class="tag">
                {record.headers.length} header{record.headers.length === 1 ? '' : 's'}
              </span>
            )}
            {record.compression !== undefined && <span class="tag">{record.compression}</span>}
            {record.transactional === true && <span class="tag">transaction</span>}
            {record.cut !== undefined && <span class="tag bad">cut</span>}
          </span>
        </summary>
        {open && <Details topic={topic} record={record} contents={{ key, value }} />}
      </details>
    </li>
  )
}

function Details({
  topic,
  record,
  contents: { key, value },
}: {
  readonly topic: string
  readonly record: RecordJson
  readonly contents: { readonly key: Contents; readonly value: Contents }
}): JSX.Element {
  const { partition, offset, headers, cut } = record
  const curl = `curl '${location.origin}${urlOf('readMessages', { params: { topic, partition }, query: { offset: String(offset), limit: 1 } })}'`
  const kafka = usePolled('version', (signal) => call('version', { signal }), rarelyMs).answer?.kafka
  // The command finds a server at the standard address by itself.
  const at = kafka === undefined || kafka === 'localhost:9092' || kafka === '127.0.0.1:9092' ? '' : ` -b ${kafka}`
  const lks = `lks consume ${topic} -p ${partition} -O ${offset}:${offset + 1} -o json${at}`
  return (
    <div class="details">
      {cut !== undefined && (
        <p class="failure">
          This record is too large for the console, which shows its beginning
          {cut.valueBytes === undefined ? '' : `; its value has ${bytes(cut.valueBytes)}`}. A Kafka client reads it whole.
        </p>
      )}
      <Part name="Key" contents={key} />
      <Part name="Value" contents={value} />
      {headers.length > 0 && (
        <>
          <h2>Headers</h2>
          <dl class="headers">
            {headers.map((header, index) => (
              // Headers may repeat a name.
              // biome-ignore lint/suspicious/noArrayIndexKey: their order never changes
              <div key={index}>
                <dt>{header.key}</dt>
                <dd>
                  <Shown contents={contentsOf(header.value, header.valueEncoding)} />
                </dd>
              </div>
            ))}
          </dl>
        </>
      )}
      <p class="buttons">
        {record.value !== null && <CopyButton text={record.value}>Copy value</CopyButton>}
        <CopyButton text={JSON.stringify(record, undefined, 2)}>Copy record</CopyButton>
        <CopyButton text={curl}>Copy as curl</CopyButton>
        <CopyButton text={lks}>Copy as lks</CopyButton>
      </p>
    </div>
  )
}

function Part({ name, contents }: { readonly name: string; readonly contents: Contents }): JSX.Element {
  return (
    <>
      <h2>
        {name} <small>{kindText(contents)}</small>
      </h2>
      <Shown contents={contents} />
    </>
  )
}

function kindText(contents: Contents): string {
  switch (contents.kind) {
    case 'null':
      return ''
    case 'json':
      return 'JSON'
    case 'text':
      return 'text'
    case 'binary':
      return `binary, ${bytes(contents.sizeBytes)}`
  }
}

function Shown({ contents }: { readonly contents: Contents }): JSX.Element {
  switch (contents.kind) {
    case 'null':
      return <p class="note">null</p>
    case 'json':
      return <Pre text={contents.pretty} />
    case 'text':
      return contents.text === '' ? <p class="note">empty</p> : <Pre text={contents.text} />
    case 'binary':
      return <Pre text={contents.hex} />
  }
}

/** It scrolls inside, so the keyboard must reach it. */
function Pre({ text }: { readonly text: string }): JSX.Element {
  return <pre tabIndex={0}>{text}</pre>
}
