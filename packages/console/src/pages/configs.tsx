// The configs of a topic: the value, where it comes from, what it does; and a change with a preview.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { call } from '../api/client.ts'
import type { Operations } from '../api/operations.ts'
import { bytes, duration, numberOf } from '../format.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Failure } from '../parts/states.tsx'

type Config = Operations['showTopic']['answer']['effectiveConfig'][number]

interface ConfigsProps {
  readonly topic: string
  readonly configs: readonly Config[]
  readonly onChanged: () => void
}

export function Configs({ topic, configs, onChanged }: ConfigsProps): JSX.Element {
  const [filter, setFilter] = useState('')
  const [editing, setEditing] = useState<string | undefined>(undefined)
  const edited = configs.find(({ name }) => name === editing)
  const wanted = filter.trim().toLowerCase()
  const found = configs.filter(({ name, doc }) => `${name} ${doc}`.toLowerCase().includes(wanted))
  // The config of exactly this name comes first, then those with it in their names; among these what was set for this topic.
  const sorted = found.toSorted((a, b) => rankOf(a, wanted) - rankOf(b, wanted))
  return (
    <>
      <form class="toolbar" role="search" onSubmit={(event) => event.preventDefault()}>
        <label>
          Find a config
          <input type="search" value={filter} placeholder="retention" onInput={(event) => setFilter(event.currentTarget.value)} />
        </label>
      </form>
      {edited !== undefined && <EditConfig topic={topic} config={edited} onClose={() => setEditing(undefined)} onChanged={onChanged} />}
      {sorted.length === 0 && <p class="note">No config has “{filter}” in its name or description.</p>}
      <ul class="configs">
        {sorted.map((config) => (
          <li key={config.name}>
            <div class="config-head">
              <code class="name">{config.name}</code>
              <span class={`tag ${isOwn(config) ? 'good' : ''}`}>{sourceText(config.source)}</span>
              <button type="button" class="small" aria-label={`Change ${config.name}`} onClick={() => setEditing(config.name)}>
                Change
              </button>
            </div>
            <div class="config-value">
              <code>{config.value === '' ? '(empty)' : config.value}</code> <span class="note">{meaning(config)}</span>
            </div>
            <p class="note">{config.doc}</p>
          </li>
        ))}
      </ul>
    </>
  )
}

function rankOf(config: Config, wanted: string): number {
  const name = config.name === wanted ? 0 : config.name.includes(wanted) ? 2 : 4
  return name + (isOwn(config) ? 0 : 1)
}

function isOwn({ source }: Config): boolean {
  return source === 'DYNAMIC_TOPIC_CONFIG'
}

function sourceText(source: string): string {
  switch (source) {
    case 'DYNAMIC_TOPIC_CONFIG':
      return 'set for this topic'
    case 'DYNAMIC_BROKER_CONFIG':
    case 'DYNAMIC_DEFAULT_BROKER_CONFIG':
    case 'STATIC_BROKER_CONFIG':
      return 'set for the server'
    default:
      return 'default'
  }
}

/** What a number means to a person; nothing if it says that itself. */
function meaning({ name, value }: Pick<Config, 'name' | 'value'>): string {
  const number = Number(value)
  if (value === '') return ''
  if (!Number.isFinite(number)) return withoutUnit({ name, value })
  if (number === -1 && /\.(ms|bytes)$/.test(name)) return 'no limit'
  if (number >= Number.MAX_SAFE_INTEGER) return 'practically never'
  if (name.endsWith('.ms')) return duration(number) ?? ''
  return name.endsWith('.bytes') && number >= 1024 ? bytes(number) : ''
}

/** A config is a plain number; who writes `7d` or `1 GiB` is shown the number to write. */
function withoutUnit({ name, value }: Pick<Config, 'name' | 'value'>): string {
  const unit = name.endsWith('.ms') ? 'milliseconds' : name.endsWith('.bytes') ? 'bytes' : undefined
  const number = unit && numberOf(value, unit)
  return number === undefined ? '' : `write ${number}, a number of ${unit}`
}

type Preview = { readonly kind: 'editing' } | { readonly kind: 'checked'; readonly value: string | null }

function EditConfig({
  topic,
  config,
  onClose,
  onChanged,
}: { readonly config: Config; readonly onClose: () => void } & Omit<ConfigsProps, 'configs'>): JSX.Element {
  const [value, setValue] = useState(config.value)
  const [step, setStep] = useState<Preview>({ kind: 'editing' })
  const [state, setState] = useState<{ readonly busy: boolean; readonly error?: unknown }>({ busy: false })
  const send = async (to: string | null, dryRun: boolean): Promise<void> => {
    setState({ busy: true })
    try {
      await call('changeTopic', { params: { topic }, body: { config: { [config.name]: to }, dryRun } })
      setState({ busy: false })
      if (dryRun) return setStep({ kind: 'checked', value: to })
      onChanged()
      onClose()
    } catch (error) {
      setStep({ kind: 'editing' })
      setState({ busy: false, error })
    }
  }
  return (
    <Dialog title={`Change ${config.name}`} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void (step.kind === 'checked' ? send(step.value, false) : send(value, true))
        }}
      >
        <p>{config.doc}</p>
        {step.kind === 'editing' ? (
          <label>
            Value
            <input
              value={value}
              autocomplete="off"
              spellcheck={false}
              inputMode={/int|long|double/.test(config.type) ? 'numeric' : 'text'}
              onInput={(event) => setValue(event.currentTarget.value)}
            />
            <span class="note">{meaning({ name: config.name, value })}</span>
          </label>
        ) : (
          <dl class="preview">
            <dt>Now</dt>
            <dd>
              <code>{config.value === '' ? '(empty)' : config.value}</code> <span class="note">{sourceText(config.source)}</span>
            </dd>
            <dt>Then</dt>
            <dd>
              {step.value === null ? 'the default' : <code>{step.value === '' ? '(empty)' : step.value}</code>}{' '}
              <span class="note">{step.value === null ? '' : meaning({ name: config.name, value: step.value })}</span>
            </dd>
          </dl>
        )}
        {step.kind === 'checked' && <p class="note">The server accepts this. It takes effect at once.</p>}
        {state.error !== undefined && <Failure error={state.error} />}
        <footer>
          {step.kind === 'editing' && isOwn(config) && (
            <button type="button" disabled={state.busy} onClick={() => void send(null, true)}>
              Reset to the default
            </button>
          )}
          {step.kind === 'checked' && (
            <button type="button" disabled={state.busy} onClick={() => setStep({ kind: 'editing' })}>
              Back
            </button>
          )}
          <button type="submit" class="primary" disabled={state.busy || (step.kind === 'editing' && value === config.value)}>
            {step.kind === 'editing' ? 'Preview' : 'Apply'}
          </button>
        </footer>
      </form>
    </Dialog>
  )
}
