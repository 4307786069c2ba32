// The control plane that a command asks for.
import { ControlPlane } from '../cluster/control-plane.ts'
import type { CommandContext, ParsedCommand } from './client-command.ts'
import { controlUrlOf } from './connection.ts'

/** Throws a UserError for a profile that does not exist, or that names no control plane. */
export function controlPlaneOf(given: ParsedCommand, { env, signal }: Pick<CommandContext, 'env' | 'signal'>): ControlPlane {
  const options = { bootstrap: given.option('bootstrap-servers'), properties: given.options('property'), profile: given.option('profile') }
  return new ControlPlane({ url: controlUrlOf({ ...options, url: given.option('url') }, env), signal })
}
