// The option of the commands that use the control plane of a server.
import type { CommandOption } from './client-command.ts'

export const controlOption: CommandOption = {
  name: 'url',
  placeholder: 'url',
  doc: 'The control plane of the server. Default: control.url of the profile, LKS_URL, or http://localhost:8000.',
  check: urlProblem,
}

/** Undefined for the URL of a control plane, otherwise what is wrong with it. */
export function urlProblem(value: string): string | undefined {
  return /^https?:\/\/[^/\s]+\/?$/i.test(value) ? undefined : 'is not a URL such as http://localhost:8000'
}
