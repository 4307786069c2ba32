// The option of the commands that use the control plane of a server.
import { ControlPlane } from '../cluster/control-plane.ts'
import type { CommandContext, CommandOption, ParsedCommand } from './client-command.ts'

export const controlOption: CommandOption = {
  name: 'url',
  placeholder: 'url',
  doc: 'The control plane of the server. Default: LKS_URL, or http://localhost:8000.',
  check: (value) => (/^https?:\/\/[^/\s]+\/?$/i.test(value) ? undefined : 'is not a URL such as http://localhost:8000'),
}

export function controlPlaneOf(given: ParsedCommand, { env, signal }: Pick<CommandContext, 'env' | 'signal'>): ControlPlane {
  const variable = env.LKS_URL ?? ''
  return new ControlPlane({ url: given.option('url') ?? (variable === '' ? 'http://localhost:8000' : variable), signal })
}
